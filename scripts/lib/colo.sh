# shellcheck shell=bash
# QEMU COLO on two lab hosts, with the guest that runs under KVM here: what Remus is measured beside.
#
# COLO is in stock QEMU (docs/COLO-FT.txt there): a running secondary, checkpoints of all that was written. Without its packet
# comparison, which needs a QEMU built for it, checkpoints come after a fixed delay, as Remus' do.

colo_start() { # DELAY-MS
  local host
  colo_qemu hv2 -incoming tcp:10.78.0.2:9998
  colo_qemu hv1
  wait_for 120 "COLO's guest counts" sweeps_reach colo 100
  for host in hv1 hv2; do
    colo_order $host '{"execute": "migrate-set-capabilities", "arguments":
      {"capabilities": [{"capability": "x-colo", "state": true}]}}'
  done
  colo_order hv1 '{"execute": "migrate-set-parameters", "arguments": {"x-checkpoint-delay": '"$1"', "max-bandwidth": 10737418240}}'
  colo_order hv1 '{"execute": "migrate", "arguments": {"uri": "tcp:10.78.0.2:9998"}}'
  wait_for 30 "COLO takes checkpoints" colo_runs
}

# The domain boot-sector.xml, as COLO wants it started.
colo_qemu() { # HOST QEMU-ARGUMENTS...
  local host=$1
  shift
  in_host "$host" qemu-system-x86_64 -name colo -accel kvm -cpu qemu64,-svm -machine pc-i440fx-7.2 -m 64 -nodefaults -display none \
    -drive file=/var/lib/libvirt/images/boot-sector.img,if=floppy,format=raw,readonly=on -boot a \
    -serial file:/var/log/libvirt/qemu/colo-serial.log -qmp unix:/var/log/libvirt/qemu/colo.qmp,server=on,wait=off \
    "$@" </dev/null >"$lab/hosts/$host/var/log/colo.log" 2>&1 9>&- &
  disown # it dies with its host
  wait_for 20 "QEMU on $host answers" test -S "$lab/hosts/$host/var/log/libvirt/qemu/colo.qmp"
}

colo_order() { # HOST QMP
  qmp_session "$1" colo echo "$2" >/dev/null
}

colo_runs() {
  qmp_session hv1 colo echo '{"execute": "query-colo-status"}' | grep -q '"mode": "primary"'
}

colo_stop() {
  local host
  for host in hv1 hv2; do
    colo_order $host '{"execute": "quit"}'
  done
}

# ---- beside each other ----

# Samples of the same guest for SECONDS each: unprotected, with Remus, with COLO.
beside_colo() { # SECONDS
  vm_start hv1 boot-sector 2>&1 | indent
  wait_for 120 "the boot sector counts" sweeps_reach boot-sector 100
  kvm_sample alone boot-sector "$1"
  protect_at 25ms boot-sector
  kvm_sample remus boot-sector "$1"
  still_protected boot-sector
  unprotect boot-sector
  vm_tool hv1 destroy boot-sector
  colo_start 25
  kvm_sample colo colo "$1"
  colo_stop
}

kvm_sample() { # NAME VM SECONDS
  local before still
  before=$(sweeps "$2")
  still=$(stood_still hv1 "$2" "$3")
  sample "$1_sweeps_per_s" $((($(sweeps "$2") - before) / $3))
  step "  $1: stood still ${still:-never}, $(last_of "$1_sweeps_per_s") sweeps a second"
  [ "$1" = alone ] || sample "$1_still_ms" "$(jq .p50 <<<"$still")"
  [ "$1" = alone ] || sample "$1_still_p90_ms" "$(jq .p90 <<<"$still")"
}

# The guest writes a line for each sweep over its pages.
sweeps() { # VM
  wc -l <"$lab/hosts/hv1/var/log/libvirt/qemu/$1-serial.log"
}

sweeps_reach() { # VM LINES
  [ "$(sweeps "$1")" -ge "$2" ]
}
