#!/bin/sh
# A docker that builds nothing and notes what it was asked, for tests of `tk docker`. Each call gets a folder
# $STAND_IN/calls/N: args (one a line), and of a build also dockerfile, ignore, context (a listing), files (the named
# build context), stdin (a copy, where the build reads it).
#   STAND_IN_BUILDX=0        a builder without named build contexts
#   STAND_IN_WRAPPED=STATUS  how a build ends whose Dockerfile tk has changed
#   STAND_IN_STATUS=STATUS   how every other build ends, and every other command
#   STAND_IN_WAIT=SECONDS    how long a build takes
#   $STAND_IN/images/builder.NAME   what `docker buildx inspect NAME` answers
#   $STAND_IN/images/NAME    what `docker image inspect NAME` answers; NAME.remote: what the registry answers
set -u
n=1
while ! mkdir "$STAND_IN/calls/$n" 2>/dev/null; do n=$((n + 1)); done
call=$STAND_IN/calls/$n
for word in "$@"; do printf '%s\n' "$word"; done >"$call/args"

while :; do
  case "${1-}" in
  --context | --config | -H | -l) shift 2 ;;
  -*) shift ;;
  *) break ;;
  esac
done

answer() {
  file=$STAND_IN/images/$(printf %s "$1" | tr / _)
  [ -f "$file" ] || exit 1
  cat "$file"
  exit 0
}

case "$*" in
"image inspect "*) answer "$3" ;;
"buildx imagetools inspect "*) for last in "$@"; do :; done && answer "$last.remote" ;;
"buildx inspect "*) answer "builder.$3" ;;
"version --format"*) echo "${STAND_IN_PLATFORM:-linux/$(uname -m)}" && exit 0 ;;
"build "* | "buildx build "* | "image build "* | "builder build "*) ;;
*)
  echo "stand-in: $*"
  exit "${STAND_IN_STATUS:-0}"
  ;;
esac

[ "$1" = build ] || shift
shift
if [ "${1-}" = --help ]; then
  cat <<'HELP'
Usage:  docker build [OPTIONS] PATH | URL | -

Options:
      --build-arg list          Set build-time variables
  -f, --file string             Name of the Dockerfile
      --no-cache                Do not use cache when building the image
      --platform string         Set platform if server is multi-platform
                                capable
  -q, --quiet                   Suppress the build output
  -t, --tag list                Name and optionally a tag
      --target string           Set the target build stage to build.
HELP
  [ "${STAND_IN_BUILDX:-1}" = 0 ] || echo "      --build-context stringArray   Additional build contexts"
  exit 0
fi

file= context= tag=
while [ $# -gt 0 ]; do
  case "$1" in
  -f | --file) file=$2 && shift ;;
  --file=*) file=${1#--file=} ;;
  --build-context=*)
    named=${1#--build-context=}
    cp -al "${named#*=}" "$call/files" 2>/dev/null || cp -a "${named#*=}" "$call/files"
    ;;
  -t | --tag) tag=$2 && shift ;;
  --target | --build-arg | --platform | --build-context) shift ;;
  -) context=- ;;
  -*) ;;
  *) context=$1 ;;
  esac
  shift
done

if [ "$context" = - ] || [ "$file" = - ]; then cat >"$call/stdin"; fi
if [ "$context" = - ]; then
  if tar tf "$call/stdin" >"$call/context" 2>/dev/null; then
    tar xOf "$call/stdin" "${file:-Dockerfile}" >"$call/dockerfile" 2>/dev/null ||
      tar xOf "$call/stdin" "./${file:-Dockerfile}" >"$call/dockerfile"
  else
    : >"$call/context"
    cp "$call/stdin" "$call/dockerfile"
  fi
elif [ -d "$context" ]; then
  (cd "$context" && find . | sort) >"$call/context"
  if [ "$file" = - ]; then
    cp "$call/stdin" "$call/dockerfile"
  elif [ -f "${file:-$context/Dockerfile}" ]; then
    cp "${file:-$context/Dockerfile}" "$call/dockerfile"
  fi
  for ignore in "${file:-$context/Dockerfile}.dockerignore" "$context/.dockerignore"; do
    [ ! -f "$ignore" ] || [ -f "$call/ignore" ] || cp "$ignore" "$call/ignore"
  done
  # The image with tk's files, for a builder without named contexts.
  case "$tag" in tk-files:*)
    mkdir "$call/files" && cp -a "$context/linux" "$call/files/"
    echo '[]' >"$STAND_IN/images/$tag"
    ;;
  esac
fi

echo "stand-in: building ${tag:-something}"
if [ -n "${STAND_IN_WAIT:-}" ]; then
  sleep "$STAND_IN_WAIT" >/dev/null 2>&1 &
  trap 'kill $!; exit 129' HUP
  trap 'echo INT >>"$call/interrupts"; kill $!; sleep 0.3; exit 130' INT
  trap 'kill $!; exit 143' TERM
  : >"$call/waiting"
  wait $!
fi
if grep -q '^# tk:' "$call/dockerfile" 2>/dev/null; then exit "${STAND_IN_WRAPPED:-0}"; fi
exit "${STAND_IN_STATUS:-0}"
