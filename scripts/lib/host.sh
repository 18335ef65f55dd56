# shellcheck shell=bash
# A lab host: namespaces whose pid 1 is tini. Killing that pid is the power-off.

# Runs COMMAND in a host's namespaces, as root there, with the product on the PATH.
in_host() { # HOST COMMAND...
  local pid
  pid=$(pid_of "$1")
  shift
  nsenter --target "$pid" --mount --uts --ipc --net --pid -- env -C / HOME=/root LC_ALL=C.UTF-8 \
    PATH="$product/bin:$cache/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$@"
}

# Only the network namespace: the files are the machine's.
in_net() { # HOST COMMAND...
  local pid
  pid=$(pid_of "$1")
  shift
  nsenter --target "$pid" --net -- "$@"
}

# The file tree that a host owns, made once: power-off and power-on do not touch it.
host_files() { # HOST ROOT
  local dir=$lab/hosts/$1
  mkdir -p "$dir/var"/{cache,lib/{libvirt,remus},log/{libvirt/qemu,remus},tmp}
  ln -s /run "$dir/var/run"
  cp -a "$2/etc" "$dir/etc"
  rm -rf "$dir/etc/libvirt" "$dir/etc/remus" "$dir/etc/resolv.conf"
  mkdir -p "$dir/etc"/{libvirt,remus}
  echo "$1" >"$dir/etc/hostname"
  address_book >"$dir/etc/hosts"
  # The control socket's group, which the installer makes on a real host.
  grep -q '^remus:' "$dir/etc/group" || echo 'remus:x:64200:' >>"$dir/etc/group"
}

# Small, so that it is full at once; nothing reserved for root, which the agent is.
state_disk_create() { # FILE
  truncate -s 24M "$1"
  mkfs.ext4 -q -F -b 4096 -m 0 "$1"
}

# Starts pid 1 and waits until its file tree stands. It has no network yet.
host_start() { # HOST ROOT
  local dir=$lab/hosts/$1
  rm -f "$dir/pid"
  # Not the lock (9), not our terminal: the host has to outlive this command.
  setsid unshare --mount --pid --net --uts --ipc --fork --propagation private \
    "$repo/scripts/lib/host-init" "$dir" "$2" "$cache" </dev/null >"$dir/init.log" 2>&1 9>&- &
  wait_for 20 "$1 has booted" host_booted "$1" || { cat "$dir/init.log" >&2; return 1; }
}

host_booted() { # HOST
  powered "$1" && [ -e "/proc/$(pid_of "$1")/root/run/host-ready" ]
}

# Everything in the host ends at once. When the kernel has reaped its pid 1, nothing of the host runs any more.
host_kill() { # HOST
  powered "$1" || return 0
  local pid
  pid=$(pid_of "$1")
  kill -KILL "$pid"
  wait_for 30 "$1 is dead" host_dead "$1" "$pid"
  wait_for 30 "the disk of $1 is free" disk_free "$lab/hosts/$1/state.img"
  rm -f "$lab/hosts/$1/pid"
}

host_dead() { # HOST PID
  [ ! -e "/proc/$2" ]
}

# The kernel lets go of a dead namespace's mounts in its own time; mounted twice at once, a disk is ruined.
disk_free() { # FILE
  [ -z "$(losetup --noheadings --associated "$1" 2>/dev/null)" ]
}

# Ends hosts of this lab that an interrupted command left before they had written down their pid.
hosts_kill_unborn() {
  local pid
  while pid=$(pgrep --full --oldest "scripts/lib/host-init $lab/hosts/"); do
    kill -KILL "$pid" 2>/dev/null || true
  done
}
