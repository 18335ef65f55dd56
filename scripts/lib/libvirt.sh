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
  # Without systemd and virtlogd; security labels are the machine's business. Cgroups would be shared by all hosts. Which files
  # are in use libvirt notes on the files themselves, until the next boot; a host's power-off here is no boot of the machine.
  cat >"$etc/qemu.conf" <<'END'
security_driver = "none"
cgroup_controllers = []
remember_owner = 0
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
  local number='' file=$repo/src-test-vms/domains/$2.xml
  if [[ $2 =~ ^(small-[1-9]|bench-[0-9]{3,5})$ ]]; then
    number=${2#*-} file=$repo/src-test-vms/domains/${2%-*}.xml
  fi
  [ -e "$file" ] || fail "no such test VM: $2; there are: $(cd "$repo/src-test-vms/domains" && echo *.xml)"
  sed "s/@N@/$number/g" "$file" | vm_tool "$1" define /dev/stdin
}

# Disks are made where a VM is started and they are missing: in a folder of that host alone, which survives its power-off.
vm_start() { # HOST VM
  vm_tool "$1" dominfo "$2" >/dev/null 2>&1 || vm_define "$1" "$2"
  case $2 in
    ledger-disk)
      disk_create "$(disk_of "$1" "$2" vda)" 1G
      disk_create "$(disk_of "$1" "$2" sda)" 256M
      ;;
    sqlite-disk)
      "$repo/src-test-vms/build" sqlite
      disk_copy "$cache/guests/sqlite.img" "$(disk_of "$1" "$2" vda)"
      ;;
  esac
  vm_tool "$1" start "$2"
}

# Where the disk of a VM lies, seen from outside the host (below $lab/hosts/HOST) and in its own eyes without that.
disk_of() { # HOST VM DISK
  case $3 in
    vd*) echo "$lab/hosts/$1/var/lib/libvirt/disks/$2-$3.raw" ;;
    *) echo "$lab/hosts/$1/var/lib/libvirt/disks/$2-$3.qcow2" ;;
  esac
}

disk_copy() { # IMAGE FILE
  [ ! -e "$2" ] || return 0
  mkdir -p "${2%/*}"
  cp --sparse=always "$1" "$2.new"
  mv "$2.new" "$2"
}

# An empty ext4, made without a mount.
disk_create() { # FILE SIZE
  [ ! -e "$1" ] || return 0
  mkdir -p "${1%/*}"
  rm -f "$1.new"
  truncate -s "$2" "$1.new"
  mkfs.ext4 -q -F -b 4096 -E lazy_itable_init=0,lazy_journal_init=0 "$1.new"
  case $1 in
    *.qcow2)
      qemu-img convert -O qcow2 "$1.new" "$1.qcow2"
      rm "$1.new"
      mv "$1.qcow2" "$1"
      ;;
    *) mv "$1.new" "$1" ;;
  esac
}

# One line of one of the guest's workloads, answered.
ask_guest() { # PORT LINE
  in_host client timeout 5 socat -t 2 - "TCP:$guest_address:$1,connect-timeout=2" <<<"$2"
}

guest_answers() {
  ask_guest 7000 last | grep -q '^[0-9]'
}
