# shellcheck shell=bash
# Words for scenarios about disks. The guest is ledger-disk: vda (virtio-blk, raw, /data) and sda (virtio-scsi, qcow2, /scratch);
# or sqlite-disk, whose vda has a SQLite database behind the same port and the same words. Such a scenario has
# lab_options=(--bare) and starts its guest itself.
#
#   disk_guest_start [sqlite-disk]              on hv1, until its disk ledger answers
#   on_disk client_start 200                    any word about the client, for the ledger on the disk in place of the one in RAM:
#   on_disk client_await 500                    both may have a client at the same time
#   report=$(on_disk client_stop)
#   disk_client_judge "$report"
#   heavy_writing 2000 64                       blocks of 4 KiB a second, in files of 64 MiB together, on both disks
#   heavy_writing_stop
#   workload seqwrite 64                        measured in the guest: seqwrite, read, fsync, files, cdrom; prints JSON
#   disks_check                                 the guest reads ledger and blocks from its disks: all as written?
#   sqlite_journal delete                       the database's journal mode from now on: wal or delete
#   sqlite_check                                PRAGMA integrity_check in the guest, and every row
#   disk_judge "$(disk_of hv1 ledger-disk vda)" the ledger's image against what the client has answers for. Nothing may write to an
#                                               image: its host has lost its power, or no VM runs on it; and the client has ended
#   disk_judge_plain "$(disk_of hv1 ledger-disk sda)"   an image without a ledger

disk_client=disk-client

disk_guest_start() { # [VM]
  step "the guest ${1:-ledger-disk} starts on hv1"
  vm_start hv1 "${1:-ledger-disk}" 2>&1 | indent
  wait_for 90 "the disk ledger answers" disk_guest_answers
}

disk_guest_answers() {
  ask_guest 7003 last | grep -q '^[0-9]'
}

on_disk() { # COMMAND...
  # A disk may be slower than the rate asked for: the client must not be ahead of it by seconds.
  # shellcheck disable=SC2034  # the client's words read them
  local client=$disk_client client_port=7003 client_options=(--pending 32)
  "$@"
}

# The client's own verdict, with the ledger's last word: what the server read from the disk when the client ended.
disk_client_judge() { # REPORT
  client_judge "$1"
  expect "the file on the guest's disk ends with the client's last entry" holds "$1" '.verified'
}

# The image of a disk's replica, seen from outside the host.
replica_of() { # HOST VM DISK
  echo "$lab/hosts/$1/var/lib/remus/disks/$(vm_uuid "$2")/$3.raw"
}

vm_uuid() { # VM
  sed -n 's,.*<uuid>\(.*\)</uuid>.*,\1,p' "$repo/src-test-vms/domains/$1.xml"
}

# The image that the VM on HOST runs from: its own, or the replica it took over with.
image_in_use() { # HOST VM DISK
  echo "$lab/hosts/$1$(vm_tool "$1" domblklist "$2" --details | awk -v disk="$3" '$3 == disk { print $4 }')"
}

# ---- load ----

heavy_writing() { # BLOCKS-PER-SECOND|max MIB
  step "the guest writes $1 blocks a second to its disks, in files of $2 MiB together"
  ask_guest 7005 "rate $1 $2" | grep -q ok
}

# Answered when the guest has synced: from then on it writes nothing.
heavy_writing_stop() {
  ask_patiently 7005 stop | grep -q ok
}

workload() { # WORKLOAD [COUNT]
  ask_patiently 7004 "$*"
}

# As ask_guest, for what takes its time.
ask_patiently() { # PORT LINE
  in_host client timeout 600 socat -t 600 - "TCP:$guest_address:$1,connect-timeout=2" <<<"$2"
}

sqlite_journal() { # wal|delete
  expect "SQLite's journal mode is $1" test "$(ask_guest 7003 "journal $1")" = "$1"
}

# ---- verdicts ----

disks_check() {
  local found
  found=$(ask_patiently 7005 check)
  fact blocks "$found"
  step "the guest's blocks: ${found:-no answer}"
  expect "every block on the guest's disks is whole" holds "$found" '.bad == 0 and .blocks > 0'
  expect "the guest's CD-ROM is as it was" holds "$(workload cdrom)" '.good'
}

sqlite_check() {
  local found
  found=$(ask_patiently 7003 check)
  fact sqlite "$found"
  step "SQLite: ${found:-no answer}"
  expect "SQLite finds no fault in its database, and every row goes on from the one before" \
    holds "$found" '.integrity == "ok" and .rows > 0 and .torn == 0'
}

disk_judge() { # IMAGE
  disk_verdict "$1" "$(client_file "$disk_client.log")"
}

disk_judge_plain() { # IMAGE
  disk_verdict "$1"
}

disk_verdict() { # IMAGE [LOG]
  local name=${1##*/} verdict
  verdict=$("$cache/bin/disk-judge" "$@") || true
  fact "$name" "$verdict"
  step "$name: ${verdict:-no verdict}"
  expect "$name is clean: no fault in its file system, nothing torn, nothing missing that was answered" holds "$verdict" '.clean'
}
