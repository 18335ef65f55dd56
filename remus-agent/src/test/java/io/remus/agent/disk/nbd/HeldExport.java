package io.remus.agent.disk.nbd;

import io.netty.buffer.ByteBuf;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A write-only disk that replies when the test does, on the test's thread. */
class HeldExport implements Export {
  private final long bytes;
  private final BlockingQueue<Call> calls = new LinkedBlockingQueue<>();

  HeldExport(long bytes) {
    this.bytes = bytes;
  }

  /** A request; {@code data} is the test's to release. */
  record Call(String what, ByteBuf data, Reply reply) {}

  /** The same for a disk that can be read; a read's {@code data} stay the server's. */
  static final class WithReads extends HeldExport implements ReadableExport {
    WithReads(long bytes) {
      super(bytes);
    }

    @Override
    public void read(long offset, int length, ByteBuf into, Reply reply) {
      super.calls.add(new Call("read " + offset + " " + length, into, reply));
    }

    @Override
    public List<Extent> extents(long offset, long length) {
      throw new IllegalStateException("this disk is broken");
    }
  }

  /** The next request; waits for it. */
  Call next() throws InterruptedException {
    Call call = calls.poll(60, TimeUnit.SECONDS);
    if (call == null) {
      throw new AssertionError("no request came");
    }
    return call;
  }

  Collection<Call> waiting() {
    return calls;
  }

  @Override
  public String name() {
    return "vda";
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public void write(long offset, ByteBuf data, Reply reply) {
    calls.add(new Call("write " + offset + " " + data.readableBytes(), data, reply));
  }

  @Override
  public void zero(long offset, long length, boolean mayUnmap, Reply reply) {
    calls.add(new Call("zero " + offset + " " + length + (mayUnmap ? " unmap" : ""), null, reply));
  }

  @Override
  public void trim(long offset, long length, Reply reply) {
    calls.add(new Call("trim " + offset + " " + length, null, reply));
  }

  @Override
  public void flush(Reply reply) {
    calls.add(new Call("flush", null, reply));
  }
}
