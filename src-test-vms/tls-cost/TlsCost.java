import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * What TLS costs a stream of epochs between two agents: both ends in this process, over loopback, with the agents' library and
 * their kind of keys. {@code scripts/bench tls} runs it with the product's jars on the class path.
 *
 * <p>{@code TlsCost plain|boringssl|jdk CA CERTIFICATE KEY EPOCH-BYTES SECONDS} sends epochs of so many bytes, each in chunks of
 * 256 KiB at most, one when the one before was answered with a byte, and prints one line of JSON: epochs, bytes a second, the
 * median from the first byte to the answer in microseconds, and nanoseconds of processor time a byte, both ends together.
 */
final class TlsCost {
  private static final int CHUNK = 256 * 1024;
  private static final long WARM_UP_NS = TimeUnit.SECONDS.toNanos(3);

  public static void main(String[] args) throws Exception {
    int epochBytes = Integer.parseInt(args[4]);
    EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, EpollIoHandler.newFactory());
    SslContext server = null;
    SslContext client = null;
    if (!args[0].equals("plain")) {
      SslProvider provider = args[0].equals("jdk") ? SslProvider.JDK : SslProvider.OPENSSL;
      File ca = new File(args[1]);
      File certificate = new File(args[2]);
      File key = new File(args[3]);
      server =
          SslContextBuilder.forServer(certificate, key)
              .sslProvider(provider)
              .protocols("TLSv1.3")
              .trustManager(ca)
              .clientAuth(ClientAuth.REQUIRE)
              .build();
      client =
          SslContextBuilder.forClient()
              .sslProvider(provider)
              .protocols("TLSv1.3")
              .trustManager(ca)
              .keyManager(certificate, key)
              .endpointIdentificationAlgorithm(null)
              .build();
    }
    ArrayBlockingQueue<Boolean> answers = new ArrayBlockingQueue<>(1);
    Channel listening =
        new ServerBootstrap()
            .group(group)
            .channel(EpollServerSocketChannel.class)
            .childHandler(pipeline(server, () -> new Backup(epochBytes)))
            .bind(InetAddress.getLoopbackAddress(), 0)
            .sync()
            .channel();
    Channel primary =
        new Bootstrap()
            .group(group)
            .channel(EpollSocketChannel.class)
            .option(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(1 << 20, 4 << 20))
            .handler(pipeline(client, () -> new Answers(answers)))
            .connect((InetSocketAddress) listening.localAddress())
            .sync()
            .channel();
    epochs(primary, answers, epochBytes, WARM_UP_NS);
    System.out.println(epochs(primary, answers, epochBytes, TimeUnit.SECONDS.toNanos(Long.parseLong(args[5]))));
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
  }

  private static String epochs(Channel primary, ArrayBlockingQueue<Boolean> answers, int bytes, long forNs) throws InterruptedException {
    long[] times = new long[1 << 20];
    int count = 0;
    long cpu = cpuNs();
    long began = System.nanoTime();
    long now = began;
    while (now - began < forNs && count < times.length) {
      for (int left = bytes; left > 0; left -= CHUNK) {
        int size = Math.min(left, CHUNK);
        ByteBuf chunk = primary.alloc().directBuffer(size);
        primary.write(chunk.writerIndex(size));
      }
      primary.flush();
      if (answers.poll(30, TimeUnit.SECONDS) == null) {
        throw new IllegalStateException("no answer for 30 s");
      }
      long answered = System.nanoTime();
      times[count++] = answered - now;
      now = answered;
    }
    cpu = cpuNs() - cpu;
    Arrays.sort(times, 0, count);
    double sent = (double) count * bytes;
    return String.format(
        Locale.ROOT,
        "{\"epochs\": %d, \"mib_per_s\": %.1f, \"epoch_us\": %.1f, \"cpu_ns_per_byte\": %.3f}",
        count,
        sent / (1 << 20) / ((now - began) / 1e9),
        times[count / 2] / 1e3,
        cpu / sent);
  }

  private static long cpuNs() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }

  private static ChannelInitializer<Channel> pipeline(SslContext tls, java.util.function.Supplier<ChannelInboundHandlerAdapter> end) {
    return new ChannelInitializer<>() {
      @Override
      protected void initChannel(Channel channel) {
        if (tls != null) {
          channel.pipeline().addLast(tls.newHandler(channel.alloc()));
        }
        channel.pipeline().addLast(end.get());
      }
    };
  }

  /** Answers each epoch with a byte. */
  private static final class Backup extends ChannelInboundHandlerAdapter {
    private final int epochBytes;
    private long got;

    Backup(int epochBytes) {
      this.epochBytes = epochBytes;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      got += bytes.readableBytes();
      bytes.release();
      if (got >= epochBytes) {
        got -= epochBytes;
        ctx.writeAndFlush(ctx.alloc().buffer(1).writeByte(1));
      }
    }
  }

  private static final class Answers extends ChannelInboundHandlerAdapter {
    private final ArrayBlockingQueue<Boolean> answers;

    Answers(ArrayBlockingQueue<Boolean> answers) {
      this.answers = answers;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ((ByteBuf) message).release();
      answers.add(true);
    }
  }
}
