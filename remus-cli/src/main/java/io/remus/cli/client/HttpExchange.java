package io.remus.cli.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.CharsetUtil;
import io.netty.util.ReferenceCountUtil;
import io.remus.cli.ExitCode;
import io.remus.cli.Failure;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * One request and its answer on the agent's socket. The JDK's own HTTP client knows no unix
 * sockets; Netty's codec between two blocking calls does the same without a thread or an event
 * loop, which keeps the command's start quick.
 */
final class HttpExchange implements AutoCloseable {
  private final SocketChannel channel;
  private final EmbeddedChannel codec = new EmbeddedChannel(new HttpClientCodec());
  private final ByteBuffer input = ByteBuffer.allocate(16 << 10);

  private HttpExchange(SocketChannel channel) {
    this.channel = channel;
  }

  static HttpExchange open(Path socket) {
    SocketChannel channel = null;
    try {
      channel = SocketChannel.open(StandardProtocolFamily.UNIX);
      channel.connect(UnixDomainSocketAddress.of(socket));
      return new HttpExchange(channel);
    } catch (IOException | IllegalArgumentException e) {
      close(channel);
      throw unreachable(socket, e);
    }
  }

  void send(HttpMethod method, String path, String body) {
    DefaultFullHttpRequest request =
        new DefaultFullHttpRequest(
            HttpVersion.HTTP_1_1, method, path, Unpooled.copiedBuffer(body, CharsetUtil.UTF_8));
    request
        .headers()
        .set(HttpHeaderNames.HOST, "remus")
        .set(HttpHeaderNames.CONTENT_LENGTH, request.content().readableBytes());
    codec.writeOutbound(request);
    try {
      for (ByteBuf bytes = codec.readOutbound(); bytes != null; bytes = codec.readOutbound()) {
        try {
          write(bytes.nioBuffer());
        } finally {
          bytes.release();
        }
      }
    } catch (IOException e) {
      throw broken(e);
    }
  }

  HttpResponseStatus status() {
    HttpObject head = next();
    if (head instanceof HttpResponse response) {
      return response.status();
    }
    throw broken(new IOException("no HTTP answer"));
  }

  /** All of the answer's body. */
  String body() {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    content(body::writeBytes);
    return body.toString(StandardCharsets.UTF_8);
  }

  /** Hands over the body line by line as it comes. */
  void lines(Consumer<String> consumer) {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    content(
        bytes -> {
          for (byte b : bytes) {
            if (b == '\n') {
              consumer.accept(line.toString(StandardCharsets.UTF_8));
              line.reset();
            } else {
              line.write(b);
            }
          }
        });
  }

  @Override
  public void close() {
    codec.finishAndReleaseAll();
    close(channel);
  }

  private void content(Consumer<byte[]> consumer) {
    boolean last = false;
    while (!last) {
      HttpObject part = next();
      try {
        if (part instanceof HttpContent content) {
          byte[] bytes = new byte[content.content().readableBytes()];
          content.content().readBytes(bytes);
          consumer.accept(bytes);
        }
        last = part instanceof LastHttpContent;
      } finally {
        ReferenceCountUtil.release(part);
      }
    }
  }

  /** The next part of the answer, read from the socket when the codec has none left. */
  private HttpObject next() {
    try {
      HttpObject part = codec.readInbound();
      while (part == null) {
        input.clear();
        if (channel.read(input) < 0) {
          throw new IOException("the agent ended the connection before it had answered");
        }
        codec.writeInbound(Unpooled.copiedBuffer(input.flip()));
        part = codec.readInbound();
      }
      DecoderResult result = part.decoderResult();
      if (result.isFailure()) {
        ReferenceCountUtil.release(part);
        throw new IOException("no HTTP answer", result.cause());
      }
      return part;
    } catch (IOException e) {
      throw broken(e);
    }
  }

  private void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private static Failure broken(IOException e) {
    return new Failure(
        ExitCode.UNREACHABLE,
        "the connection to the agent broke: " + e.getMessage(),
        "See whether it still runs: systemctl status remus-agent");
  }

  /** Tells an agent that does not run from one that we may not talk to. */
  private static Failure unreachable(Path socket, Exception cause) {
    if (Files.notExists(socket) || cause instanceof ConnectException) {
      return new Failure(
          ExitCode.UNREACHABLE,
          "the agent is not running: nobody listens on " + socket,
          "Start it with: systemctl start remus-agent (and see: journalctl -u remus-agent)");
    }
    if (!Files.isWritable(socket)) {
      return new Failure(
          ExitCode.UNREACHABLE,
          "no permission to talk to the agent on " + socket,
          "Run the command as root, or join the socket's group: usermod -aG remus \"$USER\","
              + " then log in again");
    }
    return new Failure(
        ExitCode.UNREACHABLE,
        "the agent cannot be reached on " + socket + ": " + cause.getMessage(),
        "Check the path given with --socket and control.socket in /etc/remus/remus.conf");
  }

  private static void close(SocketChannel channel) {
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        // The exchange is over either way.
      }
    }
  }
}
