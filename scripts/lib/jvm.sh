# shellcheck shell=bash
# A host's agent as a process: its collections, its memory, its files.
#
# The JVM is told over its own attach socket: starting a JDK's command for each collection would be the load, not the test.

jvm() { # HOST COMMAND
  # shellcheck disable=SC2016  # for the inner shell
  in_host "$1" sh -c 'pid=$(cat /run/remus-agent.pid)
    printf "1\0jcmd\0%s\0\0\0" "$0" | socat -t 10 - "UNIX-CONNECT:/tmp/.java_pid$pid"' "$2"
}

# It opens the socket when it finds this file at a SIGQUIT.
jvm_listen() { # HOST
  # shellcheck disable=SC2016
  in_host "$1" sh -c 'pid=$(cat /run/remus-agent.pid); touch "/tmp/.attach_pid$pid"; kill -QUIT "$pid"'
  # shellcheck disable=SC2016
  wait_for 10 "the JVM of $1 listens" in_host "$1" sh -c 'test -S "/tmp/.java_pid$(cat /run/remus-agent.pid)"'
  jvm "$1" 'VM.log output=/var/log/remus/gc.log what=gc' >/dev/null
}

# One line for each full collection of a host's agent: MiB in use after it, milliseconds it took.
collections() { # HOST
  sed -nE 's/.*Pause Full .*->([0-9]+)M\([0-9]+M\) ([0-9.]+)ms.*/\1 \2/p' "$lab/hosts/$1/var/log/remus/gc.log"
}

agent_use() { # HOST
  # shellcheck disable=SC2016
  printf '{"rss_kib": %s, "files": %s}' \
    "$(in_host "$1" sh -c 'cat "/proc/$(cat /run/remus-agent.pid)/status"' | awk '/^VmRSS:/ { print $2 }')" \
    "$(in_host "$1" sh -c 'ls "/proc/$(cat /run/remus-agent.pid)/fd"' | wc -l)"
}
