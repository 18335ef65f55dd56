package io.remus.agent.conductor;

import io.remus.agent.disk.replica.ReplicaInfo;
import io.remus.core.wire.Frame;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** What this host keeps of other VMs' disks, as far as nobody is writing it now. Thread-safe. */
final class KnownReplicas {
  private final Map<String, ReplicaInfo> byUuid = new ConcurrentHashMap<>();

  void put(ReplicaInfo info) {
    byUuid.put(info.uuid(), info);
  }

  Optional<ReplicaInfo> ofVm(String vm) {
    return byUuid.values().stream().filter(info -> info.vm().equals(vm)).findFirst();
  }

  /** The record, with the replica in it. */
  Frame.VmRecord with(String uuid, Frame.VmRecord record) {
    ReplicaInfo info = byUuid.get(uuid);
    return info == null || info.committedAt() == null
        ? record
        : new Frame.VmRecord(
            record.term(), record.role(), info.epoch(), info.committedAt().toEpochMilli());
  }
}
