# Accuracy against mean reconstruction error of the settings in a study; csv and svg are set by the caller.
set datafile separator ','
set terminal svg size 900,600 font 'sans,12' background '#ffffff'
set output svg
set xlabel 'mean reconstruction error (fraction of the output variance)'
set ylabel 'accuracy (%)'
set grid lc rgb '#dddddd'
set key outside right
series = 'channel:l2 channel:l1 channel:tree spatial:l2 spatial:l1 spatial:tree'
mode(s) = s[1:strstrt(s, ':')-1]
encoder(s) = s[strstrt(s, ':')+1:*]
plot for [i=1:words(series)] csv using \
    (strcol(1) eq mode(word(series, i)) && strcol(2) eq encoder(word(series, i)) ? column(10) : NaN):11 \
    with points pt i ps 1.2 title word(series, i)
