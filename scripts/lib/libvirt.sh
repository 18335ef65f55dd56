# shellcheck shell=bash
# A host's own libvirtd and its VMs.

# What libvirt learned about QEMU, kept from lab to lab: asking QEMU again takes seconds. One for each file tree.
libvirt_knowledge() {
  local root
  root=$(setting root)
  echo "$cache/libvirt$([ "$root" = / ] || echo "-${root##*/}")"
}

libvirt_files() { # HOST
  local etc=$lab/hosts/$1/etc/libvirt
  # Without systemd and virtlogd; security labels are the machine's business. Cgroups would be shared by all hosts.
  cat >"$etc/qemu.conf" <<'END'
security_driver = "none"
cgroup_controllers = []
stdio_handler = "file"
END
  cat >"$etc/libvirtd.conf" <<END
host_uuid = "$(cat /proc/sys/kernel/random/uuid)"
auth_unix_rw = "none"
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
END
  # QEMU opens serial logs as its own user.
  in_root_of_lab chown libvirt-qemu "$lab/hosts/$1/var/log/libvirt/qemu"
  [ ! -d "$(libvirt_knowledge)" ] || cp -a "$(libvirt_knowledge)" "$lab/hosts/$1/var/cache/libvirt"
}

# Users are known by the names of the host's file tree.
in_root_of_lab() { # chown USER PATH
  local id
  id=$(sed -n "s/^$2:[^:]*:\([0-9]*\):.*/\1/p" "$(setting root)/etc/passwd")
  chown "$id" "$3"
}

libvirt_start() { # HOST
  in_host "$1" libvirtd --daemon --pid-file /run/libvirtd.pid 9>&-
  wait_for 60 "libvirtd on $1 answers" vm_tool "$1" version
}

libvirt_remember() { # HOST
  [ ! -d "$(libvirt_knowledge)" ] || return 0
  vm_tool "$1" capabilities >/dev/null # makes libvirt ask QEMU
  cp -a "$lab/hosts/$1/var/cache/libvirt" "$(libvirt_knowledge)"
}

vm_tool() { # HOST VIRSH-ARGUMENTS...
  local host=$1
  shift
  in_host "$host" virsh --quiet --connect qemu:///system "$@"
}

vm_define() { # HOST VM
  local file=$repo/src-test-vms/domains/$2.xml
  [ -e "$file" ] || fail "no such test VM: $2; there are: $(cd "$repo/src-test-vms/domains" && echo *.xml)"
  vm_tool "$1" define /dev/stdin <"$file"
}

vm_start() { # HOST VM
  vm_tool "$1" dominfo "$2" >/dev/null 2>&1 || vm_define "$1" "$2"
  vm_tool "$1" start "$2"
}

# One line of one of the guest's workloads, answered.
ask_guest() { # PORT LINE
  in_host client timeout 5 socat -t 2 - "TCP:$guest_address:$1,connect-timeout=2" <<<"$2"
}

guest_answers() {
  ask_guest 7000 last | grep -q '^[0-9]'
}
