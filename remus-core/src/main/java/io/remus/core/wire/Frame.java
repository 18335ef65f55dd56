package io.remus.core.wire;

import io.netty.buffer.ByteBuf;
import io.netty.util.ReferenceCounted;
import io.remus.core.control.DiskDurability;
import io.remus.core.control.ProtectRequest;
import io.remus.core.failover.Role;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;

/**
 * What two agents say to each other. The order of frames is in docs/protocol.md; the bytes are
 * written by {@link FrameEncoder} and read by {@link FrameDecoder}. A frame that exists is well
 * formed: constructors refuse the rest with {@link IllegalArgumentException}.
 */
public sealed interface Frame {

  /** First frame of the side that dialled: who it is and what it wants. */
  record Hello(Versions versions, Purpose purpose, String host) implements Frame {
    public Hello {
      Check.name("host", host);
    }
  }

  /** Answers {@link Hello}: both sides speak this version from now on. */
  record Welcome(int version, String host) implements Frame {
    public Welcome {
      Check.atLeast(1, version, "version");
      Check.name("host", host);
    }
  }

  /** Answers {@link Hello} or {@link Prepare}; the side that sends it then closes. */
  record Refused(RefusalCode code, String message) implements Frame {
    public Refused {
      message = Check.message(message);
    }
  }

  /**
   * Asks the backup to make a standby.
   *
   * @param vm name of the domain
   * @param xml migratable XML of the running domain
   * @param inactiveXml XML the domain will start with next time, {@code null} for a transient
   *     domain
   * @param machine machine type, such as {@code pc-i440fx-7.2}
   * @param emulatorVersion QEMU's version on the primary
   * @param blocks guest memory, at least one block, at most 256
   * @param disks writable disks to be replicated, at most 64
   * @param durability what an ack is to say about disk writes
   * @param intervalMs epoch interval, milliseconds
   * @param idleIntervalMs the same as long as the guest sends nothing, milliseconds
   * @param failoverTimeoutMs silence after which the backup takes over, milliseconds
   * @param spares hosts that a VM without a backup is protected with, the first choice first, at
   *     most 16
   */
  record Prepare(
      String vm,
      String uuid,
      long term,
      String xml,
      String inactiveXml,
      String machine,
      String emulatorVersion,
      List<RamBlock> blocks,
      List<DiskImage> disks,
      DiskDurability durability,
      int intervalMs,
      int idleIntervalMs,
      int failoverTimeoutMs,
      List<String> spares)
      implements Frame {

    private static final int MOST_BLOCKS = 256;
    private static final int MOST_DISKS = 64;

    public Prepare {
      Check.name("VM", vm);
      Check.uuid(uuid);
      Check.term(term);
      Check.name("machine type", machine);
      Check.name("emulator version", emulatorVersion);
      if (xml == null || xml.isBlank()) {
        throw new IllegalArgumentException("VM " + vm + " comes without XML");
      }
      if (blocks == null || blocks.isEmpty() || blocks.size() > MOST_BLOCKS) {
        throw new IllegalArgumentException(
            "VM %s has no RAM blocks or more than %d".formatted(vm, MOST_BLOCKS));
      }
      if (blocks.stream().anyMatch(Objects::isNull)) {
        throw new IllegalArgumentException("a RAM block is null");
      }
      blocks = List.copyOf(blocks);
      if (disks == null || disks.size() > MOST_DISKS || disks.stream().anyMatch(Objects::isNull)) {
        throw new IllegalArgumentException(
            "VM %s has no list of disks or more than %d".formatted(vm, MOST_DISKS));
      }
      disks = List.copyOf(disks);
      if (durability == null) {
        throw new IllegalArgumentException("VM " + vm + " comes without a disk durability");
      }
      Check.atLeast(1, intervalMs, "interval");
      Check.atLeast(1, idleIntervalMs, "idle interval");
      Check.atLeast(1, failoverTimeoutMs, "failover timeout");
      if (spares == null || spares.size() > ProtectRequest.MOST_SPARES) {
        throw new IllegalArgumentException(
            "VM %s has no list of spares or more than %d"
                .formatted(vm, ProtectRequest.MOST_SPARES));
      }
      spares.forEach(spare -> Check.name("spare", spare));
      spares = List.copyOf(spares);
    }
  }

  /**
   * Answers {@link Prepare}: the standby is there.
   *
   * @param credit bytes of chunk data that may be sent before any is given back
   */
  record Prepared(long credit) implements Frame {
    public Prepared {
      Check.atLeast(1, credit, "credit");
    }
  }

  /**
   * What the replica of a disk holds already, before {@link Prepared}: the primary need not send a
   * block whose hash is the same. No frame comes for a replica that is all zeroes.
   *
   * @param disk place in the list of PREPARE
   * @param firstBlock number of the first block, of {@link #BLOCK_BYTES} each
   * @param hashes for 1 to {@link #MOST} blocks, {@link #HASH_BYTES} each: the first bytes of the
   *     block's SHA-256; a last block that is shorter is hashed as it is
   */
  record BlockHashes(int disk, long firstBlock, ByteBuffer hashes) implements Frame {
    public static final int BLOCK_BYTES = 64 * 1024;
    public static final int HASH_BYTES = 16;
    public static final int MOST = 4096;

    public BlockHashes {
      Check.atLeast(0, disk, "number of a disk");
      Check.atLeast(0, firstBlock, "number of a block");
      int bytes = hashes.remaining();
      if (bytes == 0 || bytes % HASH_BYTES != 0 || bytes > MOST * HASH_BYTES) {
        throw new IllegalArgumentException(bytes + " bytes are no list of block hashes");
      }
    }
  }

  /**
   * A piece of an epoch, or of the initial synchronisation. Owns its data: whoever has the frame
   * releases it, once.
   *
   * @param epoch 0 for the initial synchronisation
   * @param index place within the epoch, from 0
   * @param data at least 1 byte
   * @param crc CRC32C of the frame's payload; {@link #of} computes it
   */
  record Chunk(long epoch, int index, ChunkKind kind, ByteBuf data, int crc)
      implements Frame, ReferenceCounted {

    public Chunk {
      Check.atLeast(0, epoch, "epoch of a chunk");
      Check.atLeast(0, index, "index of a chunk");
      Check.atLeast(1, data.readableBytes(), "data of a chunk");
    }

    /**
     * Takes over the data. The checksum is computed here, so that the sender's thread pays for it.
     */
    public static Chunk of(long epoch, int index, ChunkKind kind, ByteBuf data) {
      return new Chunk(epoch, index, kind, data, ChunkHead.crc(epoch, index, kind, data));
    }

    /** Bytes that count against the credit. */
    public int bytes() {
      return data.readableBytes();
    }

    @Override
    public int refCnt() {
      return data.refCnt();
    }

    @Override
    public Chunk retain() {
      data.retain();
      return this;
    }

    @Override
    public Chunk retain(int increment) {
      data.retain(increment);
      return this;
    }

    @Override
    public Chunk touch() {
      data.touch();
      return this;
    }

    @Override
    public Chunk touch(Object hint) {
      data.touch(hint);
      return this;
    }

    @Override
    public boolean release() {
      return data.release();
    }

    @Override
    public boolean release(int decrement) {
      return data.release(decrement);
    }
  }

  /**
   * The epoch is complete; made by {@link EpochTally}.
   *
   * @param bytes chunk data of the epoch
   * @param total CRC32C over the checksums of the epoch's chunks, in order
   * @param held the guest stands still as somebody wants: a copy that goes on from here does, too
   */
  record EpochEnd(long epoch, int chunks, long bytes, int total, boolean held) implements Frame {
    public EpochEnd {
      Check.epoch(epoch);
      Check.atLeast(1, chunks, "number of chunks");
      Check.atLeast(1, bytes, "number of bytes");
    }
  }

  /** The backup has committed this epoch and all before it. */
  record Ack(long term, long epoch) implements Frame {
    public Ack {
      Check.term(term);
      Check.epoch(epoch);
    }
  }

  /** The backup has applied and freed this much chunk data: the primary may send as much again. */
  record Credit(long bytes) implements Frame {
    public Credit {
      Check.atLeast(1, bytes, "credit");
    }
  }

  /**
   * A sign of life, and the round trip's measure.
   *
   * @param sentAtNs the sender's own clock; means nothing to the receiver, who echoes it
   * @param echo {@code sentAtNs} of the newest heartbeat received, 0 before the first
   */
  record Heartbeat(long sequence, long sentAtNs, long echo) implements Frame {}

  /** Ends the protection. */
  record Stop(long term) implements Frame {
    public Stop {
      Check.term(term);
    }
  }

  /**
   * Answers {@link Stop}: the backup will never activate this term's standby, not even after a
   * crash of its own.
   */
  record Stopped(long term) implements Frame {
    public Stopped {
      Check.term(term);
    }
  }

  /** The backup's administrator wants the VM: asks the living primary to give it up. */
  record Claim(long term) implements Frame {
    public Claim {
      Check.term(term);
    }
  }

  /**
   * The primary has destroyed its copy, or stopped it for good; the VM belongs to this term.
   * Answers {@link Claim}, or hands over unasked.
   */
  record Yield(long term) implements Frame {
    public Yield {
      Check.term(term);
    }
  }

  /**
   * What came from the network for a guest that a switchover had stopped, after {@link Yield}: the
   * guest gets it where it runs now.
   *
   * @param nic place of the guest's interface, from 0
   * @param frame a {@code struct virtio_net_hdr} of {@link #HEADER_BYTES} and an Ethernet frame
   */
  record Input(int nic, ByteBuffer frame) implements Frame {
    public static final int HEADER_BYTES = 10;
    public static final int LEAST = HEADER_BYTES + 14;

    /** The largest packet that a kernel hands over in one piece, with its headers. */
    public static final int MOST = HEADER_BYTES + 64 * 1024 + 256;

    public Input {
      Check.atLeast(0, nic, "number of an interface");
      if (frame.remaining() < LEAST || frame.remaining() > MOST) {
        throw new IllegalArgumentException(frame.remaining() + " bytes are no Ethernet frame");
      }
    }
  }

  /** The sender cannot go on with this VM. */
  record Failed(String message) implements Frame {
    public Failed {
      message = Check.message(message);
    }
  }

  /**
   * Asks the backup to hash what its standby holds, and to keep that right from epoch to epoch.
   *
   * @param disks a bit for each disk that is to be hashed, too; bit 0 is the first of PREPARE
   */
  record Verify(long term, long disks) implements Frame {
    public Verify {
      Check.term(term);
    }
  }

  /** Right behind an {@link EpochEnd}: asks for the hashes of this epoch. */
  record VerifyEpoch(long epoch) implements Frame {
    public VerifyEpoch {
      Check.epoch(epoch);
    }
  }

  /** Answers {@link Verify}: all was hashed once; {@link VerifyEpoch} will be answered soon. */
  record Hashed(long term) implements Frame {
    public Hashed {
      Check.term(term);
    }
  }

  /**
   * Answers {@link VerifyEpoch}: what the standby's memory is at this epoch.
   *
   * @param first number of the first sum: they go through the blocks of PREPARE, one for each
   *     {@link #SUM_BYTES} of a block, the last of a block for what is left of it
   * @param sums 1 to {@link #MOST} times 8 bytes
   */
  record MemorySums(long epoch, long first, ByteBuffer sums) implements Frame {
    public static final int SUM_BYTES = 1 << 20;
    public static final int MOST = 4096;

    public MemorySums {
      Check.epoch(epoch);
      Check.atLeast(0, first, "number of a sum");
      int bytes = sums.remaining();
      if (bytes == 0 || bytes % Long.BYTES != 0 || bytes > MOST * Long.BYTES) {
        throw new IllegalArgumentException(bytes + " bytes are no list of sums");
      }
    }
  }

  /**
   * Answers {@link VerifyEpoch}: what the replica of a disk is at this epoch.
   *
   * @param blocks as before {@link Prepared}
   */
  record DiskHashes(long epoch, BlockHashes blocks) implements Frame {
    public DiskHashes {
      Check.epoch(epoch);
      Objects.requireNonNull(blocks);
    }
  }

  /** Answers {@link Verify} or {@link VerifyEpoch}: it cannot be done, and why. */
  record Unverified(String message) implements Frame {
    public Unverified {
      message = Check.message(message);
    }
  }

  /** Asks what the peer knows about a VM. */
  record Query(String uuid) implements Frame {
    public Query {
      Check.uuid(uuid);
    }
  }

  /**
   * Answers {@link Query}.
   *
   * @param term the newest the peer knows, 0 when its role is {@link Role#NONE}
   * @param epoch the last that its replica of the disks committed, 0 when it has none
   * @param committedAtMs when that was, milliseconds since 1970 on the peer's clock; 0 for never
   */
  record VmRecord(long term, Role role, long epoch, long committedAtMs) implements Frame {
    public VmRecord {
      Check.atLeast(role == Role.NONE ? 0 : 1, term, "term");
      Check.atLeast(0, epoch, "epoch of a replica");
      Check.atLeast(0, committedAtMs, "time of a commit");
    }

    /** Of a host without a replica of the disks. */
    public VmRecord(long term, Role role) {
      this(term, role, 0, 0);
    }
  }
}
