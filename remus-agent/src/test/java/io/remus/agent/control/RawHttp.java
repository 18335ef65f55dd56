package io.remus.agent.control;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Bytes to and from the socket, so that the tests see what any client would. */
final class RawHttp implements AutoCloseable {
  private final SocketChannel channel;

  RawHttp(Path socket) throws IOException {
    channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(socket));
  }

  static String exchange(Path socket, String method, String path, String body) {
    try (RawHttp http = new RawHttp(socket)) {
      http.send(request(method, path, body));
      return http.readAll();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String request(String method, String path, String body) {
    int length = body.getBytes(StandardCharsets.UTF_8).length;
    return method
        + " "
        + path
        + " HTTP/1.1\r\nHost: remus\r\nContent-Length: "
        + length
        + "\r\n\r\n"
        + body;
  }

  void send(String bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes.getBytes(StandardCharsets.UTF_8));
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  /** Everything until the server closes. */
  String readAll() throws IOException {
    StringBuilder all = new StringBuilder();
    for (String some = readSome(); !some.isEmpty(); some = readSome()) {
      all.append(some);
    }
    return all.toString();
  }

  /** What has come, waiting for the first byte; empty when the server has closed. */
  String readSome() throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(64 << 10);
    int count = channel.read(buffer);
    return count < 0 ? "" : new String(buffer.array(), 0, count, StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
