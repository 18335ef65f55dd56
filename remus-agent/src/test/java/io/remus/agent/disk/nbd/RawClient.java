package io.remus.agent.disk.nbd;

import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A client that does what tests want, right or wrong, byte by byte. */
final class RawClient implements AutoCloseable {
  private final SocketChannel socket;

  RawClient(Path path) throws IOException {
    socket = SocketChannel.open(StandardProtocolFamily.UNIX);
    socket.connect(UnixDomainSocketAddress.of(path));
  }

  /** Greets and begins, with structured replies or without. */
  static RawClient begun(Path path, boolean structured) throws IOException {
    RawClient client = new RawClient(path);
    client.greet();
    if (structured) {
      client.option(NbdOption.STRUCTURED_REPLY, new byte[0]);
      client.optionReply();
    }
    client.option(NbdOption.GO, go(""));
    while (client.optionReply().type() == 3) {}
    return client;
  }

  void greet() throws IOException {
    read(18);
    send(ByteBuffer.allocate(4).putInt(3).flip());
  }

  void option(int type, byte[] data) throws IOException {
    send(optionBytes(type, data));
  }

  OptionReply optionReply() throws IOException {
    ByteBuffer head = read(20);
    head.getLong();
    head.getInt();
    int type = head.getInt();
    return new OptionReply(type, read(head.getInt()));
  }

  void request(int type, int flags, long cookie, long offset, int length) throws IOException {
    send(requestBytes(type, flags, cookie, offset, length));
  }

  void write(long cookie, long offset, byte[] data) throws IOException {
    request(NbdRequest.WRITE, 0, cookie, offset, data.length);
    send(ByteBuffer.wrap(data));
  }

  /** A simple reply without data. */
  SimpleReply reply() throws IOException {
    ByteBuffer head = read(16);
    if (head.getInt() != NbdReplyEncoder.SIMPLE_MAGIC) {
      throw new IOException("no simple reply");
    }
    return new SimpleReply(head.getInt(), head.getLong());
  }

  Chunk chunk() throws IOException {
    ByteBuffer head = read(20);
    if (head.getInt() != NbdReplyEncoder.STRUCTURED_MAGIC) {
      throw new IOException("no structured reply");
    }
    int flags = head.getShort();
    int type = Short.toUnsignedInt(head.getShort());
    long cookie = head.getLong();
    return new Chunk(flags, type, cookie, read(head.getInt()));
  }

  void send(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      socket.write(bytes);
    }
  }

  ByteBuffer read(int bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(bytes);
    while (buffer.hasRemaining()) {
      if (socket.read(buffer) < 0) {
        throw new EOFException("the server closed");
      }
    }
    return buffer.flip();
  }

  /** Reads to the end of the connection, however it ends; returns the bytes that came. */
  int readToEnd() {
    ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
    int all = 0;
    try {
      for (int some = socket.read(buffer); some >= 0; some = socket.read(buffer.clear())) {
        all += some;
      }
    } catch (IOException reset) {
      return all;
    }
    return all;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  static byte[] go(String name, int... wishes) {
    byte[] text = name.getBytes(StandardCharsets.UTF_8);
    ByteBuffer data = ByteBuffer.allocate(4 + text.length + 2 + 2 * wishes.length);
    data.putInt(text.length).put(text).putShort((short) wishes.length);
    for (int wish : wishes) {
      data.putShort((short) wish);
    }
    return data.array();
  }

  static ByteBuffer optionBytes(int type, byte[] data) {
    return ByteBuffer.allocate(16 + data.length)
        .putLong(NbdOptionDecoder.MAGIC)
        .putInt(type)
        .putInt(data.length)
        .put(data)
        .flip();
  }

  static ByteBuffer requestBytes(int type, int flags, long cookie, long offset, int length) {
    return ByteBuffer.allocate(NbdRequestDecoder.HEAD_BYTES)
        .putInt(NbdRequestDecoder.MAGIC)
        .putShort((short) flags)
        .putShort((short) type)
        .putLong(cookie)
        .putLong(offset)
        .putInt(length)
        .flip();
  }

  record OptionReply(int type, ByteBuffer data) {
    String text() {
      return StandardCharsets.UTF_8.decode(data.duplicate()).toString();
    }
  }

  record SimpleReply(int error, long cookie) {}

  record Chunk(int flags, int type, long cookie, ByteBuffer payload) {}
}
