# Maps an elaborated design onto a cell library, module by module (no flattening: an array's cell is mapped once).
# From the environment: OUT, TOP, LIBERTY, TECHMAPS (list of files that map lutra_fa, lutra_ha, latches),
# FLOWS (this folder), ABC_ARGS (list), ARITH (yosys: multipliers and adders as Yosys makes them). Leaves OUT/mapped.il; every
# signal in it is one bit wide.
yosys -import

read_liberty -lib -ignore_miss_func $::env(LIBERTY)
read_rtlil $::env(OUT)/design.il
script $::env(OUT)/blackbox.ys
hierarchy -check -top $::env(TOP)

# Coarse: as in `synth`, but multipliers become arrays of full adders before alumacc can fuse them with adders and
# sign-extend every partial product.
opt_expr
opt_clean
opt -nodffe -nosdff
fsm
opt
wreduce
peepopt
opt_clean
if {$::env(ARITH) eq "lutra"} {techmap -map $::env(FLOWS)/techmap/mul.v}
opt_expr
opt_clean
alumacc
opt
memory -nomap
opt_clean

# Fine: what is left of memories is small (the guard of `lutra report elab` has seen to that) and becomes flip-flops.
opt -fast -full
memory_map
opt -undriven -fine
maccmap
if {$::env(ARITH) eq "lutra"} {techmap -map $::env(FLOWS)/techmap/fa.v}
foreach t $::env(TECHMAPS) { techmap -map $t }
techmap
opt -fast
dfflibmap -liberty $::env(LIBERTY)
foreach t $::env(TECHMAPS) { techmap -map $t }
techmap
opt
abc -liberty $::env(LIBERTY) {*}$::env(ABC_ARGS)
opt_clean -purge
setundef -zero
hierarchy -check -top $::env(TOP)
check -mapped -noinit

# Registers named after what they hold, so that timing paths can be read.
yosys rename -wire
splitnets -ports
splitnets
opt_clean -purge
stat -liberty $::env(LIBERTY)
delete =A:blackbox =lutra_* %d
write_rtlil $::env(OUT)/mapped.il
