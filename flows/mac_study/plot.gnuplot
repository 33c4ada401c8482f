# Area per MAC against throughput per area, one plot per library; csv, svg and libraries are set by the caller.
set datafile separator ','
n = words(libraries)
set terminal svg size 520 * n, 520 font 'sans,12' background '#ffffff'
set output svg
set grid lc rgb '#dddddd'
set key outside bottom center horizontal
set xlabel 'kGE per int8 MAC (smaller is better)'
set ylabel 'GMAC/s/mm2 (larger is better)'
set xrange [0:*]
set yrange [0:*]
forms = 'trees mesh mesh-yosys sum-yosys'
set multiplot layout 1, n
do for [l = 1:n] {
    library = word(libraries, l)
    set title library
    plot for [i = 1:words(forms)] csv using \
        (strcol(1) eq library && strcol(3) eq word(forms, i) ? column(11) : NaN):13 with points pt 4 + i ps 0.9 title word(forms, i), \
        csv using (strcol(1) eq library && strcol(9) eq 'ws16' ? column(11) : NaN):13 with points pt 6 ps 2 lc rgb '#c00000' \
        title 'ws16'
}
unset multiplot
