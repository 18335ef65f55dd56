package io.remus.agent.disk.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.remus.agent.socket.Access;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The server as clients see it that others wrote: QEMU's, libnbd's and fio's. They are part of the
 * set-up of tests; one that is missing is a failure.
 */
@Timeout(300)
class NbdClientsTest {
  private static final long DISK = 64L << 20;

  @TempDir Path directory;
  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
  private final CountedMemory memory = new CountedMemory();
  private final Semaphore gone = new Semaphore(0);
  private Path socket;
  private Path disk;
  private FileExport export;
  private NbdServer server;
  private String uri;

  @BeforeEach
  void start() throws IOException {
    socket = directory.resolve("vda.sock");
    uri = "nbd+unix:///vda?socket=" + socket;
    disk = directory.resolve("disk");
    export = new FileExport(disk, DISK);
    server = serve(export);
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
    export.close();
    group.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
    memory.assertAllIsBack();
  }

  @Test
  void shouldTellQemuItsSize() throws Exception {
    assertThat(run("qemu-img", "info", "-f", "raw", "--output=json", uri))
        .contains("\"virtual-size\": " + DISK);
  }

  @Test
  void shouldTakeAnImageFromQemuAndGiveItBack() throws Exception {
    Path image = image();
    Path back = directory.resolve("back");

    run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image.toString(), uri);
    assertThat(run("qemu-img", "compare", "-f", "raw", "-F", "raw", image.toString(), uri))
        .contains("identical");
    run("qemu-img", "convert", "-f", "raw", "-O", "raw", uri, back.toString());

    assertThat(Files.mismatch(image, back)).isEqualTo(-1);
    assertThat(Files.mismatch(image, disk)).isEqualTo(-1);
  }

  @Test
  void shouldShowQemuWhatIsAllocated() throws Exception {
    run("qemu-io", "-f", "raw", "-c", "write -P 1 1M 1M", uri);

    assertThat(run("qemu-img", "map", "-f", "raw", "--output=json", uri).replaceAll("\\s+", ""))
        .contains("\"start\":0,\"length\":1048576,\"depth\":0,\"present\":")
        .containsPattern("\"start\":0,[^}]*\"zero\":true,\"data\":false")
        .containsPattern("\"start\":1048576,\"length\":1048576,[^}]*\"zero\":false,\"data\":true")
        .containsPattern("\"start\":2097152,\"length\":65011712,[^}]*\"zero\":true");
  }

  @Test
  void shouldDoAllThatQemuIoKnows() throws Exception {
    String said =
        run(
            "qemu-io",
            "-f",
            "raw",
            "-c",
            "write -P 0xa5 0 256k",
            "-c",
            "write -P 7 513 1021",
            "-c",
            "write -f -P 9 1M 64k",
            "-c",
            "write -z 64k 64k",
            "-c",
            "write -z -u 128k 4k",
            "-c",
            "write -z -f 132k 4k",
            "-c",
            "discard 1M 32k",
            "-c",
            "flush",
            "-c",
            "aio_write -P 3 2M 1M",
            "-c",
            "aio_write -P 4 3M 1M",
            "-c",
            "aio_flush",
            "-c",
            "read -P 0xa5 0 513",
            "-c",
            "read -P 7 513 1021",
            "-c",
            "read -P 0xa5 1534 64002",
            "-c",
            "read -P 0 64k 72k",
            "-c",
            "read -P 0xa5 136k 120k",
            "-c",
            "read -P 9 1056k 32k",
            "-c",
            "read -P 3 2M 1M",
            "-c",
            "read -P 4 3M 1M",
            "-c",
            "write -P 5 32M 32M",
            "-c",
            "read -P 5 32M 32M",
            uri);

    assertThat(said).doesNotContain("failed", "error", "Error");
    assertThat(export.flushes()).isGreaterThanOrEqualTo(3);
  }

  @Test
  void shouldDescribeItselfToLibnbd() throws Exception {
    run("qemu-io", "-f", "raw", "-c", "write -P 1 1M 1M", uri);

    assertThat(run("nbdinfo", uri))
        .contains("protocol: newstyle-fixed without TLS, using structured packets")
        .contains("export-size: " + DISK)
        .contains("base:allocation")
        .contains("can_flush: true", "can_fua: true", "can_trim: true", "can_zero: true")
        .contains("can_df: true", "is_read_only: false", "can_multi_conn: false")
        .contains("can_fast_zero: false")
        .contains("block_size_minimum: 1", "block_size_preferred: 65536")
        .contains("block_size_maximum: 33554432");
    assertThat(run("nbdinfo", "--list", "nbd+unix:///?socket=" + socket)).contains("\"vda\":");
    assertThat(run("nbdinfo", "--map", uri).trim().replaceAll("[ ]+", " ").split("\n *"))
        .containsExactly(
            "0 1048576 3 hole,zero", "1048576 1048576 0 data", "2097152 65011712 3 hole,zero");
  }

  @Test
  void shouldTakeACopyFromLibnbdAndGiveItBack() throws Exception {
    Path image = image();
    Path back = directory.resolve("back");

    run("nbdcopy", "--flush", "--requests=64", image.toString(), uri);
    run("nbdcopy", "--request-size=2097152", uri, back.toString());

    assertThat(Files.mismatch(image, disk)).isEqualTo(-1);
    assertThat(Files.mismatch(image, back)).isEqualTo(-1);
    assertThat(export.flushes()).isPositive();
  }

  @Test
  void shouldKeepWhatFioWritesAtRandom() throws Exception {
    run(
        "fio",
        "--name=verify",
        "--ioengine=nbd",
        "--uri=" + uri,
        "--rw=randwrite",
        "--bsrange=512-256k",
        "--blockalign=512",
        "--size=48m",
        "--iodepth=32",
        "--fsync=64",
        "--randseed=1",
        "--verify=crc32c",
        "--verify_fatal=1",
        "--do_verify=1",
        "--verify_state_save=0");
  }

  @Test
  void shouldRefuseQemuASecondConnectionWithTheReason() throws Exception {
    try (RawClient first = RawClient.begun(socket, true)) {
      Outcome second = execute("qemu-io", "-f", "raw", "-c", "read 0 512", uri);

      assertThat(second.status()).isNotZero();
      assertThat(second.output()).contains("another client writes to \"vda\"");
      first.request(NbdRequest.FLUSH, 0, 1, 0, 0);
      assertThat(first.reply().cookie()).isOne();
    }
  }

  @Test
  void shouldLetQemuWriteWhatNobodyMayRead() throws Exception {
    server.close();
    server = serve(export.writeOnly());
    Path image = image();

    run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image.toString(), uri);
    Outcome reading = execute("qemu-io", "-f", "raw", "-c", "read 0 512", uri);

    assertThat(reading.output()).contains("Operation not permitted");
    assertThat(Files.mismatch(image, disk)).isEqualTo(-1);
  }

  @Test
  void shouldBeTheTargetOfAMirrorThatNobodyMayRead() throws Exception {
    server.close();
    server = serve(export.writeOnly());
    Path image = image();
    while (gone.tryAcquire()) {}
    Process daemon =
        new ProcessBuilder(
                "qemu-storage-daemon",
                "--chardev",
                "stdio,id=monitor",
                "--monitor",
                "chardev=monitor",
                "--blockdev",
                "driver=file,node-name=source,filename=" + image,
                "--blockdev",
                "driver=nbd,node-name=target,server.type=unix,export=vda,server.path=" + socket)
            .redirectErrorStream(true)
            .start();
    try (PrintWriter monitor =
            new PrintWriter(daemon.getOutputStream(), true, StandardCharsets.UTF_8);
        BufferedReader events =
            new BufferedReader(
                new InputStreamReader(daemon.getInputStream(), StandardCharsets.UTF_8))) {
      monitor.println("{\"execute\":\"qmp_capabilities\"}");
      monitor.println(
          "{\"execute\":\"blockdev-mirror\",\"arguments\":{\"job-id\":\"job\",\"device\":\"source\","
              + "\"target\":\"target\",\"sync\":\"full\",\"copy-mode\":\"write-blocking\"}}");
      awaitLine(events, "BLOCK_JOB_READY");
      monitor.println(
          "{\"execute\":\"block-job-cancel\",\"arguments\":{\"device\":\"job\",\"force\":false}}");
      awaitLine(events, "BLOCK_JOB_COMPLETED");
      assertThat(gone.availablePermits()).isZero();
      monitor.println("{\"execute\":\"quit\"}");

      assertThat(daemon.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      daemon.destroyForcibly();
    }
    assertThat(gone.tryAcquire(60, TimeUnit.SECONDS)).isTrue();
    assertThat(Files.mismatch(image, disk)).isEqualTo(-1);
  }

  @Test
  void shouldNoticeAClientThatIsKilled() throws Exception {
    Process client =
        new ProcessBuilder("qemu-io", "-f", "raw", uri).redirectErrorStream(true).start();
    try {
      client.getOutputStream().write("write 0 4k\n".getBytes(StandardCharsets.UTF_8));
      client.getOutputStream().flush();
      await().until(() -> export.extents(0, 4096).get(0).zero(), zero -> !zero);
    } finally {
      client.destroyForcibly();
    }

    assertThat(gone.tryAcquire(60, TimeUnit.SECONDS)).isTrue();
  }

  private NbdServer serve(Export disk) throws IOException {
    return NbdServer.listen(
        socket, Access.user(0, 0), disk, group, memory.allocator(), gone::release);
  }

  /** Data here and there, with zeroes and holes between them. */
  private Path image() throws IOException {
    Path image = directory.resolve("image");
    Random random = new Random(4711);
    try (FileChannel file =
        FileChannel.open(image, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (long at = 0; at < DISK; at += 4L << 20) {
        byte[] data = new byte[1 + random.nextInt(2 << 20)];
        random.nextBytes(data);
        file.write(ByteBuffer.wrap(data), at);
        file.write(ByteBuffer.allocate(1 << 20), at + (2 << 20));
      }
      file.write(ByteBuffer.allocate(1), DISK - 1);
    }
    return image;
  }

  private static void awaitLine(BufferedReader lines, String part) throws IOException {
    List<String> seen = new ArrayList<>();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      seen.add(line);
      if (line.contains(part)) {
        assertThat(line).doesNotContain("\"error\"");
        return;
      }
    }
    throw new AssertionError("there is no " + part + " in " + seen);
  }

  private static String run(String... command) throws Exception {
    Outcome outcome = execute(command);
    assertThat(outcome.status()).as(outcome.output()).isZero();
    return outcome.output();
  }

  private static Outcome execute(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Outcome(process.waitFor(), output);
  }

  private record Outcome(int status, String output) {}
}
