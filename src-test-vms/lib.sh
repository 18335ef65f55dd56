# shellcheck shell=bash
# What every guest here with a Debian kernel needs: the kernel, its modules, an initramfs.

# The kernel that PACKAGE depends on, once: downloaded, compared with the archive's checksum, unpacked to FOLDER/root.
# The archive's index is signed, so its checksum is what says that the file is Debian's.
get_kernel() { # FOLDER PACKAGE [APT-OPTION...]
  local folder=$1 meta=$2 package file
  shift 2
  [ ! -e "$folder/complete" ] || return 0
  package=$(apt-cache "$@" depends "$meta" | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n1)
  [ -n "$package" ] || { echo "kernel: apt knows no $meta; run apt-get update" >&2; return 1; }
  echo "kernel: $package"
  rm -rf "$folder"
  mkdir -p "$folder/root"
  # apt drops its rights for a download when the folder is not its own: it may not be able to enter ours.
  (cd "$folder" && apt-get "$@" -qq -o APT::Sandbox::User=root download "$package")
  file=$(find "$folder" -maxdepth 1 -name '*.deb')
  apt-cache "$@" show "$package" | sed -n 's/^SHA256: //p' | head -n1 |
    { read -r sum; echo "$sum  $file"; } | sha256sum --check --status ||
    { echo "kernel: $file differs from the archive's checksum; run apt-get update and try again" >&2; return 1; }
  dpkg-deb -x "$file" "$folder/root"
  rm "$file"
  touch "$folder/complete"
}

# Unpacks a module of the kernel in FOLDER (Debian 13 and later pack them) into ROOT/modules after the modules it needs.
add_module() { # ROOT FOLDER NAME
  local root=$1 folder=$2 name=$3 packed modules needed
  [ ! -e "$root/modules/$name.ko" ] || return 0
  mkdir -p "$root/modules"
  packed=$(find "$folder/root" -name "${name//_/[_-]}.ko*" -print -quit)
  case $packed in
    *.ko) cp "$packed" "$root/modules/$name.ko" ;;
    *.ko.xz) xz -dc "$packed" >"$root/modules/$name.ko" ;;
    *) echo "kernel: it has no module $name" >&2; return 1 ;;
  esac
  modules=$(modinfo -F depends "$root/modules/$name.ko")
  for needed in ${modules//,/ }; do
    add_module "$root" "$folder" "$needed"
  done
  echo "$name.ko" >>"$root/modules/order"
}

pack_initramfs() { # ROOT FILE
  (cd "$1" && find . | LC_ALL=C sort | cpio --quiet --reproducible -R 0:0 -H newc -o) | gzip -n1 >"$2"
}
