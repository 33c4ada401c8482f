# Timing and power of a mapped netlist in OpenSTA 2.0. The caller sets: libs (Liberty files), netlist, top, period (ns, a first
# guess), activity (transitions per pin and cycle).
#
# Every result goes to a line `LUTRA <key> <value>`; the critical path and the power table stand between
# `LUTRA begin <what>` and `LUTRA end`. lutra report timing reads them.

proc lutra {key value} {
    puts "LUTRA $key $value"
}

# Inputs arrive with the clock edge and outputs must be there before the next one: a path through a port counts like one
# between registers, which is what a neighbour that registers its ports sees.
proc constrain {period} {
    create_clock -name clk -period $period [get_ports clk]
    foreach port [all_inputs] {
        if {[get_full_name $port] ne "clk"} {
            set_input_delay 0 -clock clk $port
        }
    }
    set_output_delay 0 -clock clk [all_outputs]
}

foreach lib $libs {
    read_liberty $lib
}
read_verilog $netlist
link_design $top
constrain $period

set slack [worst_slack]
set min_period [expr {$period - $slack}]
lutra first_period $period
lutra first_slack $slack

# period - slack is exact as long as all paths take a whole cycle. Half-cycle paths and latches need the check at that period.
set tries 0
while {$tries < 12} {
    constrain $min_period
    if {[worst_slack] >= -0.002 * $min_period} break
    set min_period [expr {$min_period - [worst_slack]}]
    incr tries
}
lutra tries $tries
lutra min_period $min_period

puts "LUTRA begin path"
report_checks -path_delay max -format full -fields {capacitance slew}
puts "LUTRA end"

set path [lindex [find_timing_paths -path_delay max] 0]
lutra startpoint [get_full_name [get_property $path startpoint]]
lutra endpoint [get_full_name [get_property $path endpoint]]

# OpenSTA 2.0 does not carry activity through memories and sequential loops: the first report fills its tables, then
# every pin gets the stated activity.
set_power_activity -global -activity $activity -duty 0.5
report_power > /dev/null
foreach pin [get_pins -hierarchical *] {
    sta::set_power_pin_activity $pin $activity 0.5
}
puts "LUTRA begin power"
report_power -digits 6
puts "LUTRA end"

# Without the paths through ports: what the design reaches on its own.
foreach port [all_inputs] {
    if {[get_full_name $port] ne "clk"} {
        set_false_path -from $port
    }
}
set_false_path -to [all_outputs]
lutra register_period [expr {$min_period - [worst_slack]}]
lutra done 1
