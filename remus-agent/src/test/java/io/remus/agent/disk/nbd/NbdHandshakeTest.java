package io.remus.agent.disk.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NbdHandshakeTest {
  private static final long DISK = 1 << 20;
  private static final NbdLimits LIMITS =
      new NbdLimits(32 << 20, 8, 32 << 20, 512, 5, Duration.ofSeconds(10));

  private static final int ACK = 1;
  private static final int SERVER = 2;
  private static final int INFO = 3;
  private static final int META_CONTEXT = 4;

  @TempDir Path directory;
  private final HeldExport export = new HeldExport(DISK);
  private final Seat seat = new Seat(() -> {});
  private final List<EmbeddedChannel> channels = new ArrayList<>();
  private final EmbeddedChannel client = connect(export);

  @AfterEach
  void releaseAll() {
    channels.forEach(EmbeddedChannel::finishAndReleaseAll);
  }

  @Test
  void shouldGreetAsFixedNewstyle() {
    assertThat(sent(client)).isEqualTo("4e42444d41474943" + "49484156454f5054" + "0003");
  }

  @Test
  void shouldEndInTransmissionHoweverTheBytesAreCut() {
    byte[] talk =
        join(
            flags(3),
            option(NbdOption.STRUCTURED_REPLY, new byte[0]),
            option(NbdOption.GO, RawClient.go("vda", 3)),
            RawClient.requestBytes(NbdRequest.TRIM, 0, 9, 4096, 512).array());
    String whole = null;
    for (int cut = 0; cut <= talk.length; cut++) {
      HeldExport disk = new HeldExport(DISK);
      EmbeddedChannel channel = connect(disk, new Seat(() -> {}));

      channel.writeInbound(Unpooled.copiedBuffer(talk, 0, cut));
      channel.writeInbound(Unpooled.copiedBuffer(talk, cut, talk.length - cut));

      assertThat(disk.waiting()).as("cut at byte " + cut).hasSize(1);
      disk.waiting().iterator().next().reply().ok();
      String answer = sent(channel);
      whole = whole == null ? answer : whole;
      assertThat(answer).isEqualTo(whole);
      channel.finishAndReleaseAll();
    }
    assertThat(whole)
        .contains("0000000c" + "0000" + "0000000000100000" + "00ed") // size and flags with DF
        .contains("0003" + "00000001" + "00010000" + "02000000") // block sizes
        .endsWith("67446698" + "00000000" + "0000000000000009");
  }

  @Test
  void shouldListTheExport() {
    greet(client);

    assertThat(ask(client, NbdOption.LIST, new byte[0]))
        .containsExactly(SERVER + ":\0\0\0\3vda", ACK + ":");
    assertThat(types(ask(client, NbdOption.LIST, new byte[1])))
        .containsExactly(NbdOptionReply.ERR_INVALID);
  }

  @Test
  void shouldTellAboutTheExportAndGoOnNegotiating() {
    greet(client);

    List<String> plain = ask(client, NbdOption.INFO, RawClient.go("vda"));
    List<String> all = ask(client, NbdOption.INFO, RawClient.go("", 1, 2, 3, 77));

    assertThat(types(plain)).containsExactly(INFO, ACK);
    assertThat(types(all)).containsExactly(INFO, INFO, INFO, ACK);
    assertThat(all.get(1)).endsWith("vda");
    assertThat(seat.isFree()).isTrue();
  }

  @Test
  void shouldNotKnowOtherExports() {
    greet(client);

    assertThat(ask(client, NbdOption.GO, RawClient.go("vdb")))
        .containsExactly(NbdOptionReply.ERR_UNKNOWN + ":there is only \"vda\"");
    assertThat(types(ask(client, NbdOption.GO, RawClient.go("vda")))).containsExactly(INFO, ACK);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 4, 5, 11, 4711, -1})
  void shouldNotSupportTlsExtendedHeadersAndWhatNobodyKnows(int option) {
    greet(client);

    assertThat(types(ask(client, option, new byte[8]))).containsExactly(NbdOptionReply.ERR_UNSUP);
    assertThat(client.isOpen()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {NbdOption.INFO, NbdOption.GO, 9, 10})
  void shouldRefuseOptionsThatAreCutOrTooLong(int option) {
    greet(client);
    ask(client, NbdOption.STRUCTURED_REPLY, new byte[0]);

    assertThat(types(ask(client, option, new byte[] {0, 0, 0, 9, 'v'})))
        .containsExactly(NbdOptionReply.ERR_INVALID);
    assertThat(types(ask(client, option, new byte[] {-1, -1, -1, -1, 'v', 0, 0})))
        .containsExactly(NbdOptionReply.ERR_INVALID);
    assertThat(types(ask(client, option, new byte[11])))
        .containsExactly(NbdOptionReply.ERR_INVALID);
  }

  @Test
  void shouldAnswerTheOldWayToBegin() {
    greet(client);
    String answer = talk(client, option(NbdOption.EXPORT_NAME, utf8("vda")));
    assertThat(answer).isEqualTo("0000000000100000" + "006d");

    EmbeddedChannel older = connect(export, new Seat(() -> {}));
    sent(older);
    older.writeInbound(Unpooled.wrappedBuffer(flags(1)));
    assertThat(talk(older, option(NbdOption.EXPORT_NAME, new byte[0])))
        .hasSize(2 * (10 + 124))
        .startsWith("0000000000100000" + "006d" + "0000");
  }

  @Test
  void shouldCloseWhenTheOldWayNamesAnotherExport() {
    greet(client);

    assertThat(talk(client, option(NbdOption.EXPORT_NAME, utf8("vdb")))).isEmpty();
    assertThat(client.isOpen()).isFalse();
  }

  @Test
  void shouldSayGoodbyeToAClientThatAborts() {
    greet(client);

    assertThat(types(ask(client, NbdOption.ABORT, new byte[3]))).containsExactly(ACK);
    assertThat(client.isOpen()).isFalse();
  }

  @Test
  void shouldOfferNoContextOfWhatCannotBeRead() {
    greet(client);
    ask(client, NbdOption.STRUCTURED_REPLY, new byte[0]);

    assertThat(ask(client, NbdOption.SET_META_CONTEXT, contexts("vda", "base:allocation")))
        .containsExactly(ACK + ":");
  }

  @Test
  void shouldOfferTheAllocationOfWhatCanBeRead() throws IOException {
    try (FileExport readable = new FileExport(directory.resolve("disk"), DISK)) {
      EmbeddedChannel reader = connect(readable);
      greet(reader);
      int list = NbdOption.LIST_META_CONTEXT;
      assertThat(types(ask(reader, list, contexts("vda"))))
          .as("before structured replies")
          .containsExactly(NbdOptionReply.ERR_INVALID);
      ask(reader, NbdOption.STRUCTURED_REPLY, new byte[0]);

      assertThat(ask(reader, list, contexts("vda", "qemu:", "base:")))
          .containsExactly(META_CONTEXT + ":\0\0\0\0base:allocation", ACK + ":");
      assertThat(ask(reader, NbdOption.SET_META_CONTEXT, contexts("", "base:", "x")))
          .containsExactly(ACK + ":");
      assertThat(ask(reader, NbdOption.SET_META_CONTEXT, contexts("", "base:allocation")))
          .containsExactly(META_CONTEXT + ":\0\0\0\1base:allocation", ACK + ":");
    }
  }

  @Test
  void shouldRefuseASecondClientButAnswerIt() {
    greet(client);
    ask(client, NbdOption.GO, RawClient.go("vda"));
    EmbeddedChannel second = connect(export);
    greet(second);

    assertThat(types(ask(second, NbdOption.LIST, new byte[0]))).containsExactly(SERVER, ACK);
    assertThat(ask(second, NbdOption.INFO, RawClient.go("vda")))
        .containsExactly(
            NbdOptionReply.ERR_POLICY + ":another client writes to \"vda\", and only one may");
    assertThat(types(ask(second, NbdOption.GO, RawClient.go("vda"))))
        .containsExactly(NbdOptionReply.ERR_POLICY);

    client.close();
    assertThat(types(ask(second, NbdOption.GO, RawClient.go("vda")))).containsExactly(INFO, ACK);
  }

  @Test
  void shouldCloseOnASecondClientThatBeginsTheOldWay() {
    greet(client);
    ask(client, NbdOption.GO, RawClient.go("vda"));
    EmbeddedChannel second = connect(export);
    greet(second);

    assertThat(talk(second, option(NbdOption.EXPORT_NAME, utf8("vda")))).isEmpty();
    assertThat(second.isOpen()).isFalse();
  }

  @Test
  void shouldCloseOnGarbage() {
    greet(client);
    assertThat(talk(client, new byte[64])).isEmpty();
    assertThat(client.isOpen()).isFalse();
  }

  @Test
  void shouldCloseOnUnknownClientFlags() {
    client.writeInbound(Unpooled.wrappedBuffer(flags(4)));
    assertThat(client.isOpen()).isFalse();
  }

  @Test
  void shouldCloseOnAnOptionThatIsTooLongBeforeItsDataCome() {
    greet(client);
    ByteBuffer head = ByteBuffer.allocate(16).putLong(NbdOptionDecoder.MAGIC).putInt(7);
    talk(client, head.putInt(513).array());
    assertThat(client.isOpen()).isFalse();
  }

  @Test
  void shouldCloseOnTooManyOptions() {
    greet(client);
    for (int i = 0; i < 5; i++) {
      ask(client, NbdOption.LIST, new byte[0]);
    }
    assertThat(client.isOpen()).isTrue();

    talk(client, option(NbdOption.LIST, new byte[0]));
    assertThat(client.isOpen()).isFalse();
  }

  @Test
  void shouldNotWaitForEverForTheHandshakeToEnd() {
    client.freezeTime();
    greet(client);
    client.advanceTimeBy(11, TimeUnit.SECONDS);
    client.runScheduledPendingTasks();

    assertThat(client.isOpen()).isFalse();
  }

  @Test
  void shouldNotTimeTheTransmission() {
    client.freezeTime();
    greet(client);
    ask(client, NbdOption.GO, RawClient.go("vda"));
    client.advanceTimeBy(11, TimeUnit.SECONDS);
    client.runScheduledPendingTasks();

    assertThat(client.isOpen()).isTrue();
  }

  private EmbeddedChannel connect(Export disk) {
    return connect(disk, seat);
  }

  private EmbeddedChannel connect(Export disk, Seat place) {
    EmbeddedChannel channel =
        new EmbeddedChannel(new NbdOptionDecoder(LIMITS), new NbdHandshake(disk, LIMITS, place));
    channels.add(channel);
    return channel;
  }

  private static void greet(EmbeddedChannel channel) {
    sent(channel);
    channel.writeInbound(Unpooled.wrappedBuffer(flags(3)));
  }

  /** Sends an option and returns its replies as {@code type:data}. */
  private static List<String> ask(EmbeddedChannel channel, int type, byte[] data) {
    ByteBuffer answer =
        ByteBuffer.wrap(ByteBufUtil.decodeHexDump(talk(channel, option(type, data))));
    List<String> replies = new ArrayList<>();
    while (answer.hasRemaining()) {
      assertThat(answer.getLong()).isEqualTo(NbdOptionReply.MAGIC);
      assertThat(answer.getInt()).isEqualTo(type);
      int replyType = answer.getInt();
      byte[] text = new byte[answer.getInt()];
      answer.get(text);
      replies.add(replyType + ":" + new String(text, StandardCharsets.ISO_8859_1));
    }
    return replies;
  }

  private static List<Integer> types(List<String> replies) {
    return replies.stream().map(reply -> Integer.valueOf(reply.split(":", 2)[0])).toList();
  }

  private static String talk(EmbeddedChannel channel, byte[] bytes) {
    channel.writeInbound(Unpooled.wrappedBuffer(bytes));
    return sent(channel);
  }

  /** What was sent since it was last asked, in hexadecimal. */
  private static String sent(EmbeddedChannel channel) {
    StringBuilder all = new StringBuilder();
    for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
      all.append(ByteBufUtil.hexDump(out));
      out.release();
    }
    return all.toString();
  }

  private static byte[] flags(int flags) {
    return ByteBuffer.allocate(4).putInt(flags).array();
  }

  private static byte[] option(int type, byte[] data) {
    return RawClient.optionBytes(type, data).array();
  }

  private static byte[] contexts(String export, String... queries) {
    ByteBuf data = Unpooled.buffer().writeInt(export.length()).writeBytes(utf8(export));
    data.writeInt(queries.length);
    for (String query : queries) {
      data.writeInt(query.length()).writeBytes(utf8(query));
    }
    return ByteBufUtil.getBytes(data);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] join(byte[]... parts) {
    return ByteBufUtil.getBytes(Unpooled.wrappedBuffer(parts));
  }
}
