#!/bin/bash
# One script with every kind of process life, the same in every run: compared between `strace -f` and `tk record`.
# Runs in a folder that tests/support/programs.ts has prepared: ./forks ./tiny ./with_shebang ./no_shebang ./garbage ...
set -u
echo one two three | tr a-z A-Z | rev | cat
( ( ( ./tiny nested; exit 7 ); ./tiny outer ); true )
x=$(./tiny substituted; echo text); echo "$x"
diff <(echo a; ./tiny left) <(echo a; ./tiny right)
seq 40 | xargs -P16 -n1 ./tiny xargs
seq 6 | xargs -P3 -I{} sh -c './tiny {}; exit $(({} % 2))'
find sub -type f -exec ./tiny found {} \;
find sub -type f -exec ./tiny all {} +
make -s -j4 -f det.mk
/usr/bin/python3 -S -E det.py
./with_shebang one 'two words'
./no_shebang one 'two words'
./shebang_argument x
env -i PATH=/nowhere:/usr/bin:/bin ./tiny clean
env -i PATH=/nowhere:/also/nowhere:/usr/bin:/bin true
nice -n 3 ./tiny niced
timeout 20 ./tiny timed
setsid -w ./tiny session
setsid -f ./tiny forked session
(exec -a 'other name' ./tiny renamed)
no-such-command 2>/dev/null; ./not-there 2>/dev/null; ./plain_file 2>/dev/null
for what in vfork spawn threads thread-exec leader-exit thread-exit clone clone-parent execveat daemon groups signals argv badexec badpointers tree; do
  ./forks $what; echo "$what $?"
done
sh -c 'kill -9 $$'; echo "killed $?"
sh -c 'kill -TERM $$'; echo "terminated $?"
coproc cat; eval "exec ${COPROC[1]}>&-"; wait
( ./tiny background & wait )
sleep 0.05 | ./tiny slow pipe
yes | head -n 1
trap './tiny on exit' EXIT
./forks slow-daemon
exit 42
