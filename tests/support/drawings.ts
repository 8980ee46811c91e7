// Recordings that every document renderer must have an answer to, as timelines; their pictures are in tests/golden.

const hash = "lm10ywzflq9qfhr4fl0zqxrhiksf28ks";

export const DRAWINGS: Readonly<Record<string, string>> = {
  empty: "",

  head_only: `
    recording root=10 make -j4`,

  one_process: `
    recording root=10 true
    0us 5 fork 10
    120us 10 exec true
    1500us 10 exit 0 user=500us sys=300us
    1600us end 0`,

  // The seed's README: flox becomes bash becomes curl, a watchdog stays behind.
  exec_chain: `
    0ms 10 exec flox activate -- curl -X GET http://example.com
    33ms 10 fork 11
    33ms 11 exec flox-watchdog
    34ms 10 exec /nix/store/${hash}-bash-5.2-p15/bin/bash /home/me/activate -c "curl -X GET http://example.com"
    51ms 10 exec /bin/bash --noprofile --rcfile /home/me/activate.d/bash -c "curl -X GET http://example.com"
    51.5ms 10 exec curl -X GET http://example.com
    109ms 10 exit 0
    118ms 11 exit 0`,

  pid_reuse: `
    recording root=10 sh loop.sh
    0ms 10 exec sh loop.sh
    1ms 10 fork 11
    2ms 11 exec first
    5ms 11 exit 0
    5.2ms 10 fork 11
    6ms 11 exec second
    9ms 10 fork 11
    10ms 11 exec third
    15ms 11 killed 15
    20ms 10 exit 0
    21ms end 0`,

  lost_events: `
    recording root=10 make
    0ms 10 exec make
    1ms 10 fork 11
    2ms lost 12 the ring buffer was full
    30ms 12<10 exec cc
    35ms 12<10 exit 0
    40ms 10 exit 0
    41ms end 0`,

  cut_off: `
    recording root=10 make -j2
    0ms 10 exec make -j2
    1ms 10 fork 11
    2ms 11 exec cc -c a.c
    3ms 10 fork 12
    4ms 12 exec cc -c b.c
    90ms 11 exit 1`,

  daemon: `
    recording root=10 start-daemon
    0ms 10 exec start-daemon
    1ms 10 fork 11
    2ms 11 fork 12
    3ms 11 exit 0
    4ms 12 setsid 12
    5ms 10 exit 0
    9ms 12<1 exec daemon --serve
    50ms end 0`,

  without_exec: `
    recording root=10 bash -c "(sleep 1); nosuch"
    0ms 10 exec bash -c "(sleep 1); nosuch"
    1ms 10 fork 11
    2ms 11 fork 12
    2.5ms 12 exec sleep 1
    12ms 12 exit 0
    13ms 11 exit 0
    14ms 10 fork 13
    15ms 13 exec:fail 2 /usr/local/bin/nosuch
    15ms 13 exec:fail 2 /usr/bin/nosuch
    16ms 13 exit 127
    17ms 10 exit 127
    17ms end 127`,

  // Threads are no processes: an exec in a thread takes over the whole process, whose pid stays.
  threads: `
    recording root=10 java Main
    0ms 10 exec java Main
    5ms 10 fork 13
    6ms 13 exec ls
    8ms 13 exit 0
    9ms 10 exec after-exec-in-a-thread
    20ms 10 exit 0
    21ms end 0`,

  failures: `
    recording root=10 sh
    0ms 10 exec sh
    1ms 10 fork 11
    2ms 11 exec false
    3ms 11 exit 1
    4ms 10 fork 12
    5ms 12 exec crash
    9ms 12 killed 11 core
    10ms 10 fork 13
    11ms 13 exec sleep 100
    12ms 13 killed 9
    13ms 10 fork 14
    14ms 14 exec proctrace-child
    15ms 14 exit
    16ms 10 killed 64
    17ms end 0`,

  roots: `
    0ms 100 fork 101
    1ms 101 exec a
    2ms 200 exec b
    3ms 200 fork 201
    4ms 300 exit 0
    9ms 201 exec c`,

  // Two recordings in one file, as tk sort makes it: each has its root, neither shows its recorder.
  merged: `
    recording root=10 make
    recording root=30 test
    0ms 5 fork 10
    0ms 6 fork 30
    1ms 10 exec make
    1ms 30 exec test
    4ms 10 exit 0
    5ms end 0
    9ms 30 exit 1
    10ms end 1`,

  same_names: `
    recording root=10 sh
    0ms 10 exec sh
    1ms 10 fork 11
    2ms 11 exec sh -c one
    3ms 11 exec one
    6ms 11 exit 0
    7ms 10 fork 12
    8ms 12 exec sh -c two
    9ms 12 exec two
    15ms 12 exit 0
    16ms 10 fork 11
    17ms 11 exec sh -c three
    18ms 11 exec three
    25ms 11 exit 0
    30ms 10 exit 0
    31ms end 0`,

  hostile:
    String.raw`
    recording root=10 "\u001b]0;owned\u0007" "\u202e" ": ; # %%"
    0ms 10 exec "\u001b]0;owned\u0007" "\u202e" ": ; # %%"
    1ms 10 fork 11
    2ms 11 exec "section" "a:b;c#d%%e" "click x href \"javascript:alert(1)\""
    12ms 11 exec "title x" "<script>alert(1)</script>" "<img src=x onerror=alert(1)>" "&amp;" "` +
    "`id`" +
    String.raw`" "$$x$$"
    22ms 11 exec "%%{init: {\"theme\":\"dark\"}}%%" "---" "{}" "[]" "}"
    32ms 11 exec "end" "a,b" ":crit, 0, 5ms" "#58;" "\ufb02\u00b0\u00b060\u00b6\u00df" "\n    section fake\n    fake :active, 0, 1ms"
    42ms 11 exec "2024-01-01" "\u0000\u0001\u007f\u0085\u2028" "\u65e5\u672c \ud83c\udf89 \u00e9" "\ud800" ""
    52ms 11 exec ""
    62ms 11 exec "gantt"
    72ms 11 exec "<store>/x" "style x:#y;"
    82ms 11 exit 0
    83ms 10 exit 0
    84ms end 0`,
};
