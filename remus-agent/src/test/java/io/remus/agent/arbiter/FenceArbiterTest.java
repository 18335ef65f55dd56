package io.remus.agent.arbiter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.remus.agent.config.AgentConfig.Fence;
import io.remus.core.epoch.Term;
import io.remus.core.failover.Verdict;
import io.remus.core.failover.Verdict.Granted;
import io.remus.core.failover.Verdict.Unknown;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With fence programs that are shell scripts. Each host's power is a file. */
class FenceArbiterTest {
  private static final Pair PAIR =
      new Pair("0b4b2b0e-0000-0000-0000-000000000001", "db1", Term.FIRST, "hv1", "hv2");

  /** Reads its options as fence-agents do and notes what it was asked. */
  private static final String READ_OPTIONS =
      """
      #!/bin/sh
      cd "$(dirname "$0")"
      while IFS='=' read -r key value; do
        [ "$key" != action ] || action=$value
        [ "$key" != plug ] || plug=$value
        [ "$key" != passwd ] || passwd=$value
      done
      echo "$action $plug" >>asked
      """;

  private static final String WORKS =
      READ_OPTIONS
          + """
          case $action in
            off) touch "$plug.off" ;;
            status) [ ! -e "$plug.off" ] || exit 2 ;;
            *) exit 1 ;;
          esac
          """;

  @TempDir Path directory;
  private FenceArbiter arbiter;

  @AfterEach
  void close() {
    if (arbiter != null) {
      arbiter.close();
    }
  }

  @Test
  void shouldPowerTheStandbysHostOffBeforeThePrimaryGoesOn() throws Exception {
    open(WORKS, Duration.ofHours(1));

    assertThat(answer(arbiter.goAlone(PAIR))).isEqualTo(new Granted());

    assertThat(asked()).containsExactly("off hv2", "status hv2");
  }

  @Test
  void shouldPowerThePrimarysHostOffBeforeTheBackupTakesOver() throws Exception {
    open(WORKS, Duration.ofMillis(1));

    assertThat(answer(arbiter.takeOver(PAIR))).isEqualTo(new Granted());

    assertThat(asked()).containsExactly("off hv1", "status hv1");
  }

  @Test
  void shouldLetThePrimaryBeFirst() throws Exception {
    open(WORKS, Duration.ofHours(1));

    CompletableFuture<Verdict> takesOver = arbiter.takeOver(PAIR);

    assertThat(answer(arbiter.goAlone(PAIR))).isEqualTo(new Granted());
    assertThat(takesOver).isNotDone();
    assertThat(asked()).doesNotContain("off hv1");
  }

  @Test
  void shouldPowerAHostOffOnceForAllVmsThatLostIt() throws Exception {
    open(READ_OPTIONS + "[ $action = status ] && exit 2; mkfifo held; : <held\n", Duration.ZERO);

    CompletableFuture<Verdict> first = arbiter.goAlone(PAIR);
    CompletableFuture<Verdict> second = arbiter.goAlone(PAIR);
    await().until(() -> Files.exists(directory.resolve("held")));
    Files.writeString(directory.resolve("held"), "");

    assertThat(answer(first)).isEqualTo(new Granted());
    assertThat(answer(second)).isEqualTo(new Granted());
    assertThat(asked()).containsExactly("off hv2", "status hv2");
  }

  @Test
  void shouldNotBelieveADeviceThatSaysThatTheHostIsStillOn() throws Exception {
    open(READ_OPTIONS, Duration.ZERO);

    assertUnknown(answer(arbiter.goAlone(PAIR)), "hv2 may still have power", "says that it is on");
  }

  @Test
  void shouldSayWhatTheProgramSaidLastAndNoPassword() throws Exception {
    open(
        READ_OPTIONS + "printf 'trying\\nlogin with %s failed\\n\\n' $passwd >&2; exit 1\n",
        Duration.ZERO);

    assertUnknown(
        answer(arbiter.goAlone(PAIR)), "action off", "exit status 1: login with *** failed");
  }

  @Test
  void shouldSayThatTheProgramIsMissing() {
    arbiter = new FenceArbiter(Map.of("hv2", new Fence("fence_nowhere", Map.of())), Duration.ZERO);

    assertUnknown(answer(arbiter.goAlone(PAIR)), "fence_nowhere", "No such file");
    assertUnknown(answer(arbiter.takeOver(PAIR)), "[peers.hv1.fence]");
  }

  @Test
  void shouldSayWhatAProgramSaidThatDoesNotEvenRead() throws Exception {
    FenceProgram program =
        new FenceProgram(
            new Fence(
                script("#!/bin/sh\nexec <&-\necho broken >&2\nexit 1\n").toString(),
                // More than a pipe takes, so that it is noticed.
                Map.of("long", "x".repeat(1 << 20))));

    assertThatThrownBy(program::off).isInstanceOf(IOException.class).hasMessageContaining("broken");
  }

  @Test
  void shouldKillAProgramThatHangsAndWhatItStarted() throws Exception {
    FenceProgram program =
        new FenceProgram(
            new Fence(
                script(READ_OPTIONS + "sleep 1000 & echo $! >child; wait\n").toString(), Map.of()),
            Duration.ofSeconds(2));

    assertThatThrownBy(program::off).hasMessageContaining("did not end within 2 s");

    long child = Long.parseLong(Files.readString(directory.resolve("child")).strip());
    await().until(() -> ProcessHandle.of(child).filter(ProcessHandle::isAlive).isEmpty());
  }

  private void open(String program, Duration delay) throws Exception {
    String file = script(program).toString();
    arbiter =
        new FenceArbiter(
            Map.of(
                "hv1", new Fence(file, Map.of("plug", "hv1", "passwd", "secret")),
                "hv2", new Fence(file, Map.of("plug", "hv2", "passwd", "secret"))),
            delay);
  }

  private Path script(String text) throws IOException {
    Path file = directory.resolve("fence_test");
    Files.writeString(file, text);
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }

  private List<String> asked() throws IOException {
    return Files.readAllLines(directory.resolve("asked"));
  }

  private static Verdict answer(CompletableFuture<Verdict> verdict) {
    return verdict.orTimeout(30, TimeUnit.SECONDS).join();
  }

  private static void assertUnknown(Verdict verdict, String... words) {
    assertThat(verdict)
        .isInstanceOfSatisfying(
            Unknown.class, unknown -> assertThat(unknown.why()).contains(words));
  }
}
