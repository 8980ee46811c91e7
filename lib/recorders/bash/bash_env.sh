# Non-interactive Bash reads this at its start because tk put it into BASH_ENV. It hands on to the user's own BASH_ENV and then
# lets Bash's own xtrace write what the script executes to a file of tk's, one record for each command. Law of this file: no process is
# made, nothing is printed, no variable stays but BASH_XTRACEFD and PS4, and a script that would notice is left alone. Functions may be
# in the environment, or made by the script, under the name of any command: hence `builtin`.
# Records: \2 (once for each level of nesting) pid \37 time \37 line \37 depth \37 function \37 file \37 the command itself.
{ _tk_flags=$-; builtin set +x; } 2>/dev/null
if [[ -n ${TK_LINES_BASH_ENV-} ]]; then
  _tk_own=$TK_LINES_BASH_ENV
  # Bash expands the value as if it stood between double quotes.
  if [[ $_tk_own == *[\$\`]* ]]; then
    _tk_own=${_tk_own//\"/\\\"}
    { builtin eval "_tk_own=\"$_tk_own\""; } 2>/dev/null || :
  fi
  if [[ -e $_tk_own ]]; then
    builtin . "$_tk_own"
    # It traces what follows: then that is wanted.
    [[ $- == *x* ]] && { _tk_flags=$-; builtin set +x; } 2>/dev/null
  fi
fi
if [[ -n ${TK_LINES_DIR-} && -d $TK_LINES_DIR && -w $TK_LINES_DIR ]]; then
  _tk_why= _tk_text=() _tk_time= _tk_guard=0
  if ((BASH_VERSINFO[0] < 5)); then
    _tk_why=version
  else
    _tk_time=${EPOCHREALTIME//[!0-9]/}
    # With a script to run, $0 is that; without, the name it was called by, and `s` is not in $- yet.
    if [[ $_tk_flags != *[cs]* && -r /proc/$$/cmdline ]]; then
      builtin mapfile -t -d '' _tk_text </proc/$$/cmdline
      [[ $0 == "${_tk_text-}" && " ${_tk_text[*]:1} " != *" $0 "* ]] && _tk_flags+=s
      _tk_text=()
    fi
    if [[ $_tk_flags == *x* ]] && ! builtin compgen -G "$TK_LINES_DIR/$$-*.bash" >/dev/null; then
      # Not because a script that we trace became this one and handed on its $-, as configure does.
      _tk_why=xtrace
    elif [[ ${PS4@a}${SHELLOPTS@a} == *x* || ${BASH_XTRACEFD+set} == set ]]; then
      _tk_why=settings
    elif [[ -n ${BASH_EXECUTION_STRING+set} ]]; then
      _tk_text=("$BASH_EXECUTION_STRING")
    elif [[ $_tk_flags == *s* ]]; then
      # From a pipe or a terminal it cannot be read without taking it away.
      if [[ -f /proc/self/fd/0 ]]; then builtin mapfile -n 1 -d '' _tk_text </proc/self/fd/0; else _tk_why=stdin; fi
    elif [[ -f $0 && -r $0 ]]; then
      builtin mapfile -n 1 -d '' _tk_text <"$0"
    else
      _tk_why=unread
    fi
    if [[ -z $_tk_why && ${#_tk_text[@]} -gt 0 ]]; then
      if [[ $_tk_text == *xtrace* || $_tk_text == *XTRACEFD* || $_tk_text == *[^$'\n']PS4* || $_tk_text == *SHELLOPTS* ]]; then
        _tk_why=xtrace
      elif [[ $_tk_text == *'set '[-+]* && $_tk_text =~ (^|[^A-Za-z0-9_-])set[[:blank:]]+([-+][A-Za-z]+[[:blank:]]+)*[-+][A-Za-wyz]*x ]]; then
        _tk_why=xtrace
      elif [[ $_tk_text == *'>&-'* || $_tk_text == *'<&-'* ]] && [[ $_tk_text =~ \$\{?[A-Za-z_][A-Za-z0-9_]*\}?[\<\>]\&- ]]; then
        _tk_why=closes
      elif [[ $_tk_text == *PS4* ]]; then
        # As configure scripts do, it sets PS4 once, at its left margin.
        if [[ $_tk_text == *DEBUG* ]]; then _tk_why=xtrace; else _tk_guard=1; fi
      fi
      if [[ -z $_tk_why && -n ${CONFIG_SHELL-} && ${_as_can_reexec-} != no && $_tk_text == *as_opts=-x* ]]; then
        # configure starts itself again with CONFIG_SHELL, hands our -x on to it and takes BASH_ENV away: its trace would be on
        # standard error. Where that is this very shell, nothing is lost if it stays, and it has a variable that says so.
        if [[ $CONFIG_SHELL -ef $BASH && $_tk_text == *_as_can_reexec* ]]; then _as_can_reexec=no; else _tk_why=reexec; fi
      fi
    fi
  fi
  [[ -n $_tk_time ]] || builtin printf -v _tk_time '%(%s)T000000' -1
  # A descriptor that the script does not mention.
  _tk_fd=231
  [[ ${_tk_text-} == *231* ]] && _tk_fd=197
  # The text of a script that is in no file goes with the header.
  _tk_text=${_tk_text-}
  [[ $_tk_flags == *[cs]* && ${#_tk_text} -lt 1000000 ]] || _tk_text=
  if ! builtin declare -F exec >/dev/null && { builtin eval "exec $_tk_fd>>\"\$TK_LINES_DIR/\$\$-\$_tk_time.bash\""; } 2>/dev/null; then
    if builtin printf 'TKB1\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x03\n' "$$" "$PPID" "$_tk_time" "$BASH_VERSION" "$0" "$PWD" \
      "$_tk_flags" "$_tk_why" "$_tk_text" 2>/dev/null >&"$_tk_fd" && [[ -z $_tk_why ]]; then
      # What follows must know little: whether PS4 is guarded, and whether there is a script.
      [[ $_tk_flags == *[cs]* ]] && _tk_guard+=c
      _tk_flags=record$_tk_guard
    else
      builtin eval "exec $_tk_fd>&-"
    fi
  fi
fi
builtin unset _tk_own _tk_why _tk_text _tk_time _tk_guard BASH_REMATCH 2>/dev/null
# Nothing may follow a `set -x` here: it would be in the trace.
if [[ $_tk_flags == record* ]]; then
  BASH_XTRACEFD=$_tk_fd
  # The shell may mark what is assigned for export.
  builtin declare +x BASH_XTRACEFD PS4
  # Every `-` costs; a script's commands always have a file, also under `set -u`.
  PS4=$'\x02$BASHPID\x1f$EPOCHREALTIME\x1f$LINENO\x1f${#BASH_LINENO[@]}\x1f${FUNCNAME-}\x1f$BASH_SOURCE\x1f'
  [[ $_tk_flags == record[01]c ]] && PS4=${PS4/'$BASH_SOURCE'/'${BASH_SOURCE-}'}
  # Puts PS4 back when the script has set it, and is gone. The collector knows what it looks like in the trace.
  [[ $_tk_flags == record1* ]] && builtin trap "[[ \$PS4 == $'\\x02'* ]] || { PS4=${PS4@Q}; builtin trap - DEBUG; }" DEBUG
  builtin unset _tk_flags _tk_fd
  builtin set -x
elif [[ $_tk_flags == *x* ]]; then
  builtin unset _tk_flags _tk_fd
  builtin set -x
else
  builtin unset _tk_flags _tk_fd
fi
