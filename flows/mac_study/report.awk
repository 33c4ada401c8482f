# Markdown from mac-study.csv. Set: tools, libs, max_kge, min_rate. Exit code 1 if a limit is not met.
# Columns: library nand2 form lanes weights stages storage goal config area kge period rate
BEGIN { FS = "," }

FNR == 1 { next }

{
    n++
    row[n] = $0
    if (!($1 in nand2)) order[++libraries] = $1
    nand2[$1] = $2
    point = $3 " of " $4 " x " $4 ($6 == "" ? "" : ", " $6 (($6 == 1) ? " stage" : " stages")) ", " ($5 == 2 ? "" : $5 " weights, ") $7 ", " $8
    if (!($1 in small) || $11 + 0 < small[$1]) { small[$1] = $11 + 0; small_at[$1] = point " (" $13 " GMAC/s/mm2)" }
    if (!($1 in fast) || $13 + 0 > fast[$1]) { fast[$1] = $13 + 0; fast_at[$1] = point " (" $11 " kGE per MAC)" }
    if ($4 == 16 && ($9 == "ws16" || $3 != "trees")) {
        kge[$1, $3, $8] = $11
        rate[$1, $3, $8] = $13
        period[$1, $3, $8] = $12
    }
}

function verdict(ok) {
    if (!ok) failed = 1
    return ok ? "met" : "NOT MET"
}

function ratio(a, b) {
    return b > 0 ? sprintf("%.2f", a / b) : "n/a"
}

END {
    if (!n) { print "no points" > "/dev/stderr"; exit 1 }
    print "# How good is the conventional array?\n"
    print "Written by `make mac-study LIB=\"" libs "\"` (flows/mac_study.sh) with " tools "; every point is in mac-study.csv."
    print "![area and throughput](mac-study.svg)\n"
    print "| required of a conventional baseline | library | best | organisation | |\n| --- | --- | ---: | --- | --- |"
    for (i = 1; i <= libraries; i++) {
        l = order[i]
        printf "| at most %g kGE per int8 MAC | %s | %.3f | %s | %s |\n", max_kge, l, small[l], small_at[l],
            verdict(small[l] <= max_kge)
    }
    for (i = 1; i <= libraries; i++) {
        l = order[i]
        if (l == "nangate45")
            printf "| at least %g GMAC/s/mm2 | %s | %.0f | %s | %s |\n", min_rate, l, fast[l], fast_at[l],
                verdict(fast[l] >= min_rate)
        else
            printf "| GMAC/s/mm2, no limit set | %s | %.1f | %s | |\n", l, fast[l], fast_at[l]
    }

    print "\n## What is counted"
    print "- One MAC is one 8 x 8-bit signed product per cycle, added to a sum; an array of L x L lanes makes L*L per cycle."
    print "- Counted: weights, two per multiplier (working and shadow, loaded row by row while the array works) or as many as the"
    print "  table says, with their load path; input registers and the recoding of activations (once per row, for all columns);"
    print "  partial products, adder trees, pipeline registers; a 24-bit accumulating adder and register per column; buffer trees"
    print "  on nets of large fan-out. So area / (L*L) is the price of a MAC with everything it needs to accumulate."
    print "- Not counted: memories behind the array (weight buffer, partial sums of a tile), issue logic, requantisation: `make"
    print "  compare` has the whole accelerators. No wires, no clock tree, no layout (1.34 times the area in the one published"
    print "  comparison, Stella Nera), here as in the figures of other designs below."
    print "- kGE: area over 1,000 times the library's NAND2 (" nand_list() ")."
    print "  Period: OpenSTA, register to register and ports, ideal clock. GMAC/s/mm2: L*L over period and area.\n"
    print "The organisations:"
    print "- `trees`: what ws, ws8 and ews use. Per column one merged carry-save tree over all rows' radix-4 partial products;"
    print "  one carry-propagating adder per column instead of one per MAC. Its stages are registers inside the tree."
    print "- `mesh`: the textbook systolic array, cells of p + a * w with 20-bit partial sums, same weights, same accumulators. A cell is a"
    print "  Baugh-Wooley multiplier of full-adder cells, then an adder, as the flow maps every such expression. Skew registers are left"
    print "  out, in its favour."
    print "- `mesh-yosys`: the same Verilog with arithmetic left to Yosys: it fuses p + a * w into one tree with one final adder, but sign-extends"
    print "  every partial product and uses no full-adder cells. For area that is the smaller cell, for speed the larger one."
    print "- `sum-yosys`: one expression per column, sum of a * w, left to Yosys.\n"

    print "## Trees, ws16, against the others, 16 x 16\n"
    print "| library | goal | organisation | kGE per MAC | times trees | period ns | GMAC/s/mm2 | of trees |\n| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |"
    split("trees mesh mesh-yosys sum-yosys", forms, " ")
    split("area speed", goals, " ")
    for (i = 1; i <= libraries; i++) for (g = 1; g <= 2; g++) for (f = 1; f <= 4; f++) {
        l = order[i]
        if (!((l, forms[f], goals[g]) in kge)) continue
        printf "| %s | %s | %s | %.3f | %s | %.2f | %.1f | %s |\n", l, goals[g], forms[f], kge[l, forms[f], goals[g]],
            ratio(kge[l, forms[f], goals[g]], kge[l, "trees", goals[g]]), period[l, forms[f], goals[g]],
            rate[l, forms[f], goals[g]], ratio(rate[l, forms[f], goals[g]], rate[l, "trees", goals[g]])
    }

    print "\n## Against open designs\n"
    print "Same tools and libraries, multipliers as full-adder arrays; kGE per int8 MAC in osu018 / Nangate45,"
    print "GMAC/s/mm2 in Nangate45 for speed. Mapped from their public sources; what each contains differs (in brackets), and some lack the accumulators or second weights counted here.\n"
    print "| design | MAC/cycle | kGE per MAC | GMAC/s/mm2 |\n| --- | ---: | ---: | ---: |"
    print "| 64-wide dot-product unit of ITA (pulp-platform) | 64 | 0.775 / 0.785 | 574 |"
    print "| tiny-tpu 16 x 16 mesh (16-bit partial sums, which overflow) | 256 | 0.890 / 0.946 | 1,123 |"
    print "| NVDLA nv_small_256 CMAC (no accumulator) | 128 | 0.902 / 0.940 | 497 |"
    print "| NVDLA small CMAC | 32 | 0.966 / 1.038 | 610 |"
    print "| NE16 column (8 x 1 to 8 bits) | 18 | 1.10 / 1.022 | 763 |"
    print "| Gemmini 16 x 16 mesh (weight and output stationary) | 256 | 1.149 / 1.214 | 711 |"
    print "| Sauria 16 x 16 | 256 | 2.143 / 2.067 | 478 |"
    print "| cgra4ml 8 x 8 (with its buffers) | 64 | 2.24 / 2.13 | 340 |"
    for (i = 1; i <= n; i++) {
        split(row[i], c, ",")
        if (c[9] == "ws16") {
            if (c[8] == "area") ws_area[c[1]] = c[11]
            if (c[8] == "speed") ws_rate[c[1]] = c[13]
        }
    }
    if (("osu018" in ws_area) && ("nangate45" in ws_area))
        printf "| **array of ws16** (kGE: goal area; GMAC/s/mm2: goal speed) | 256 | %.3f / %.3f | %.0f |\n", ws_area["osu018"],
            ws_area["nangate45"], ws_rate["nangate45"]
    print "\nRange over these and further designs: 0.69 (a merged dot product of 64 with operand registers only, a sketch) to 2.2 kGE per MAC, 310 to"
    print "1,120 GMAC/s/mm2."
    print "The Systolic Tensor Array (arXiv 2005.08098) reports 2.08 times less area than a mesh of scalar cells for the same reason as here."

    for (i = 1; i <= libraries; i++) {
        l = order[i]
        printf "\n## All points, %s\n\nRows named in the last column are the arrays of shipped configurations; `make synth` uses goal balanced unless told otherwise.\n\n", l
        print "| organisation | lanes | weights | stages | storage | goal | um2 per MAC | kGE per MAC | period ns | GMAC/s/mm2 | |"
        print "| --- | ---: | ---: | ---: | --- | --- | ---: | ---: | ---: | ---: | --- |"
        for (k = 1; k <= n; k++) {
            split(row[k], c, ",")
            if (c[1] != l) continue
            printf "| %s | %s | %s | %s | %s | %s | %.1f | %.3f | %.3f | %.1f | %s |\n", c[3], c[4], c[5], c[6] == "" ? "-" : c[6], c[7],
                c[8], c[10] / c[4] / c[4], c[11], c[12], c[13], c[9] == "" ? "" : "**" c[9] "**"
        }
    }
    exit failed
}

function nand_list(   i, s) {
    for (i = 1; i <= libraries; i++) s = s (i > 1 ? ", " : "") order[i] " " nand2[order[i]] " um2"
    return s
}
