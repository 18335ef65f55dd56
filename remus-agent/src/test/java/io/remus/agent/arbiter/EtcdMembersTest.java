package io.remus.agent.arbiter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.remus.agent.config.AgentConfig;
import io.remus.agent.config.ConfigReader;
import io.remus.agent.etcd.EtcdCluster;
import io.remus.core.control.DoctorReport.Check;
import io.remus.core.epoch.Term;
import io.remus.core.failover.Verdict;
import io.remus.core.failover.Verdict.Granted;
import io.remus.core.failover.Verdict.Unknown;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With three members of a real etcd, and fewer. */
class EtcdMembersTest {
  @TempDir Path directory;
  private EtcdCluster cluster;
  private Arbiter arbiter;

  @BeforeEach
  void start() throws Exception {
    cluster = new EtcdCluster(directory, 3);
    arbiter = new EtcdArbiter(cluster.client());
  }

  @AfterEach
  void end() {
    arbiter.close();
    cluster.close();
  }

  @Test
  void shouldGoOnWhileOneMemberIsFrozenWhicheverItIs() throws Exception {
    for (int i = 0; i < 3; i++) {
      Pair pair = registered();
      cluster.member(i).freeze();
      awaitGranted(() -> arbiter.goAlone(pair));
      cluster.member(i).thaw();
      cluster.awaitAnswers();
    }
  }

  @Test
  void shouldGoOnWithoutOneMemberAndGrantNothingWithoutTwo() throws Exception {
    Pair pair = registered();
    Pair other = registered();
    cluster.member(0).kill();
    awaitGranted(() -> arbiter.takeOver(other));
    assertThat(look())
        .satisfies(check -> assertThat(check.found()).endsWith("2 of 3 members answer"));
    cluster.member(1).kill();
    assertThat(within3s(arbiter.goAlone(pair))).isInstanceOf(Unknown.class);
    assertThat(look().verdict().word()).isEqualTo("failed");
    cluster.member(2).kill();
    assertThat(within3s(arbiter.goAlone(pair)))
        .isInstanceOfSatisfying(
            Unknown.class,
            unknown -> {
              assertThat(unknown.mayHaveBeenGranted()).isFalse();
              assertThat(unknown.why()).contains(cluster.member(1).client().toString());
            });
  }

  private Check look() throws Exception {
    String endpoints =
        "['%s', '%s', '%s']"
            .formatted(
                cluster.member(0).client(), cluster.member(1).client(), cluster.member(2).client());
    AgentConfig config =
        ConfigReader.parse(
            Path.of("remus.conf"), "[arbiter]\nkind = 'etcd'\nendpoints = " + endpoints, "hv1");
    return ArbiterCheck.look(config).get(0);
  }

  private Pair registered() {
    Pair pair = new Pair(UUID.randomUUID().toString(), "db1", Term.FIRST, "hv1", "hv2");
    awaitGranted(() -> arbiter.register(pair));
    return pair;
  }

  /** A lost leader's followers need a second or two to choose another. */
  private static void awaitGranted(Supplier<CompletableFuture<Verdict>> question) {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> within3s(question.get()), new Granted()::equals);
  }

  private static Verdict within3s(CompletableFuture<Verdict> verdict) {
    return verdict.orTimeout(3, TimeUnit.SECONDS).join();
  }
}
