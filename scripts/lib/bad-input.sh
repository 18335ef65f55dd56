# shellcheck shell=bash
# Words for scenarios about bad input: what is refused, in which words, and that nothing came to harm.

# Expects COMMAND to fail with this exit code and these words (an extended regular expression), the guest to answer and the
# agent on hv1 to live on.
refused() { # EXIT-CODE WORDS COMMAND...
  local code=$1 words=$2 output status=0
  shift 2
  output=$("$@" 2>&1 </dev/null) || status=$?
  output=$(head -n 3 <<<"$output")
  if [ "$status" != "$code" ] || ! tr -s '\n ' ' ' <<<"$output" | grep -qE "$words"; then
    say "           exit code $status instead of $code, or not the words '$words':"
    indent <<<"$output"
    status=wrong
  fi
  expect "refused ($code): $(head -n 1 <<<"$output")" test "$status" = "$code"
  unharmed "after: $*"
}

# Says nothing when all is well: it is asked after every case.
unharmed() { # WHEN
  guest_answers || failed "the guest does not answer, $1"
  agent_runs hv1 || failed "the agent on hv1 has ended, $1"
}

# A VM without an operating system: enough to be looked at and refused.
empty_vm() { # HOST create|define VM [DEVICES-XML] [MACHINE] [MEMORY-KIB]
  vm_tool "$1" "$2" /dev/stdin <<END_OF_XML
<domain type='qemu'>
  <name>$3</name>
  <memory unit='KiB'>${6:-65536}</memory>
  <os><type arch='x86_64' machine='${5:-pc-i440fx-7.2}'>hvm</type></os>
  <cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model></cpu>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <memballoon model='none'/>
    <video><model type='none'/></video>
    ${4-}
  </devices>
</domain>
END_OF_XML
}

# The agent starts anew with more lines in its configuration; without any, as the lab made it.
agent_reconfigure() { # HOST [LINE...]
  agent_signal "$1" TERM
  agent_files "$1"
  [ $# = 1 ] || printf '%s\n' "${@:2}" >>"$(configuration "$1")"
  agent_start "$1"
}

configuration() { # HOST
  echo "$lab/hosts/$1/etc/remus/remus.conf"
}

is_protected() {
  status_holds hv1 ledger '.state == "protected"'
}
