# Reads and elaborates a design for flows/synth.sh. From the environment: SOURCES, INCDIRS (lists of paths), TOP, OUT.
# Leaves OUT/elab.il (for mapping) and OUT/elab.json (memories collected, for `lutra report elab`).
yosys -import

set incdirs {}
foreach d $::env(INCDIRS) { lappend incdirs "-I$d" }
foreach f $::env(SOURCES) { read_verilog -DSYNTHESIS {*}$incdirs $f }
hierarchy -check -top $::env(TOP)
procs
opt_expr
opt_clean
check -assert
write_rtlil $::env(OUT)/elab.il
memory_collect
write_json $::env(OUT)/elab.json
