package io.remus.agent.arbiter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.remus.agent.etcd.Deadline;
import io.remus.agent.etcd.Entry;
import io.remus.agent.etcd.EtcdClient;
import io.remus.agent.etcd.EtcdCluster;
import io.remus.agent.etcd.LossyGateway;
import io.remus.core.epoch.Term;
import io.remus.core.failover.Verdict;
import io.remus.core.failover.Verdict.Denied;
import io.remus.core.failover.Verdict.Granted;
import io.remus.core.failover.Verdict.Unknown;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With one member of a real etcd. */
class EtcdArbiterTest {
  private static final Verdict GRANTED = new Granted();

  @TempDir static Path directory;
  private static EtcdCluster cluster;

  private EtcdClient etcd;
  private Arbiter primary;
  private Arbiter backup;
  private Pair pair;

  @BeforeAll
  static void startEtcd() throws Exception {
    cluster = new EtcdCluster(directory, 1);
  }

  @AfterAll
  static void endEtcd() {
    cluster.close();
  }

  @BeforeEach
  void open() throws Exception {
    etcd = cluster.client();
    primary = new EtcdArbiter(cluster.client());
    backup = new EtcdArbiter(cluster.client());
    pair = pair(3);
  }

  @AfterEach
  void close() {
    etcd.close();
    primary.close();
    backup.close();
  }

  @Test
  void shouldGrantOneOfTwoHostsThatAskAtOnceEachTime() {
    int alone = 0;
    for (int round = 0; round < 200; round++) {
      Pair raced = pair(1);
      assertThat(primary.register(raced).join()).isEqualTo(GRANTED);

      CompletableFuture<Verdict> goesAlone = primary.goAlone(raced);
      CompletableFuture<Verdict> takesOver = backup.takeOver(raced);

      boolean first = goesAlone.join().equals(GRANTED);
      assertThat(takesOver.join().equals(GRANTED)).as("round %d", round).isNotEqualTo(first);
      assertThat(first ? takesOver.join() : goesAlone.join())
          .isEqualTo(first ? new Denied(new Term(1), "hv1") : new Denied(new Term(2), "hv2"));
      alone += first ? 1 : 0;
    }
    System.out.printf("the primary was first in %d of 200 rounds%n", alone);
  }

  @Test
  void shouldAnswerTheSameWhenAskedAgain() {
    primary.register(pair).join();

    assertThat(primary.register(pair).join()).isEqualTo(GRANTED);
    assertThat(backup.takeOver(pair).join()).isEqualTo(GRANTED);
    assertThat(backup.takeOver(pair).join()).isEqualTo(GRANTED);
    assertThat(primary.goAlone(pair).join()).isEqualTo(new Denied(new Term(4), "hv2"));
    assertThat(primary.register(pair).join()).isEqualTo(new Denied(new Term(4), "hv2"));
  }

  @Test
  void shouldRefuseToGrantWithoutARecord() {
    assertUnknown(primary.goAlone(pair).join(), "no record");
    assertUnknown(backup.takeOver(pair).join(), "no record");
  }

  @Test
  void shouldNameTheKeyOfARecordThatNobodyOfRemusWrote() throws Exception {
    String key = "/remus/vms/" + pair.uuid();
    etcd.swap(read(key), "{\"vm\": 5}", Deadline.ofQuestion());

    assertUnknown(primary.register(pair).join(), key);
    assertUnknown(primary.goAlone(pair).join(), key);
    assertUnknown(backup.takeOver(pair).join(), key);
    assertThat(read(key).value()).isEqualTo("{\"vm\": 5}");
  }

  @Test
  void shouldWriteARecordThatPeopleCanRead() throws Exception {
    primary.register(pair).join();
    primary.goAlone(pair).join();

    assertThat(read("/remus/vms/" + pair.uuid()).value())
        .isEqualTo("{\"vm\":\"db1\",\"term\":3,\"holder\":\"hv1\",\"standby\":null}");
  }

  @Test
  void shouldHaveClaimedNothingWhenEtcdCannotEvenBeRead() throws Exception {
    primary.register(pair).join();
    cluster.member(0).freeze();
    try {
      assertUnknown(within3s(primary.goAlone(pair)), "did not answer");
    } finally {
      cluster.member(0).thaw();
    }
    cluster.awaitAnswers();
    assertThat(backup.takeOver(pair).join()).isEqualTo(GRANTED);
  }

  @Test
  void shouldSayThatItMayHaveBeenGrantedWhenTheAnswerIsLostAndTellWhenAskedAgain()
      throws Exception {
    primary.register(pair).join();
    try (LossyGateway lossy = new LossyGateway(cluster.member(0), 2, () -> {});
        Arbiter unlucky = new EtcdArbiter(lossy.client())) {
      assertThat(within3s(unlucky.goAlone(pair)))
          .isInstanceOfSatisfying(
              Unknown.class, unknown -> assertThat(unknown.mayHaveBeenGranted()).isTrue());

      assertThat(backup.takeOver(pair).join()).isEqualTo(new Denied(new Term(3), "hv1"));
      assertThat(unlucky.goAlone(pair).join()).isEqualTo(GRANTED);
    }
  }

  @Test
  void shouldFindItsOwnChangeWhenOneAnswerIsLost() throws Exception {
    primary.register(pair).join();
    try (LossyGateway lossy = new LossyGateway(cluster.member(0), 1, () -> {});
        Arbiter unlucky = new EtcdArbiter(lossy.client())) {
      assertThat(unlucky.takeOver(pair).join()).isEqualTo(GRANTED);
    }
  }

  @Test
  void shouldSayThatItMayHaveBeenGrantedWhenEtcdFreezesWithTheQuestion() throws Exception {
    primary.register(pair).join();
    EtcdCluster.Member member = cluster.member(0);
    try (LossyGateway freezing = new LossyGateway(member, 0, member::freeze);
        Arbiter unlucky = new EtcdArbiter(freezing.client())) {
      assertThat(within3s(unlucky.takeOver(pair)))
          .isInstanceOfSatisfying(
              Unknown.class, unknown -> assertThat(unknown.mayHaveBeenGranted()).isTrue());
    } finally {
      member.thaw();
    }
    cluster.awaitAnswers();
    // What was on its way may arrive only now; whoever asks next is told the truth either way.
    Verdict late = backup.takeOver(pair).join();
    Verdict alone = primary.goAlone(pair).join();
    assertThat(late).isEqualTo(GRANTED);
    assertThat(alone).isEqualTo(new Denied(new Term(4), "hv2"));
  }

  @Test
  void shouldSayThatEtcdIsAwayAndGoOnWhenItIsBack() throws Exception {
    primary.register(pair).join();
    cluster.member(0).kill();
    try {
      assertUnknown(within3s(primary.goAlone(pair)), cluster.member(0).client().toString());
    } finally {
      cluster.member(0).start();
    }
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> primary.goAlone(pair).join().equals(GRANTED));
  }

  @Test
  void shouldAnswerWhileTheAgentStops() {
    primary.close();

    assertUnknown(within3s(primary.goAlone(pair)), "stops");
  }

  private Entry read(String key) throws Exception {
    return etcd.read(key, Deadline.ofQuestion());
  }

  private static Verdict within3s(CompletableFuture<Verdict> verdict) {
    return verdict.orTimeout(3, TimeUnit.SECONDS).join();
  }

  private static void assertUnknown(Verdict verdict, String why) {
    assertThat(verdict).isInstanceOf(Unknown.class);
    assertThat(((Unknown) verdict).why()).contains(why);
    assertThat(((Unknown) verdict).mayHaveBeenGranted()).isFalse();
  }

  private static Pair pair(long term) {
    return new Pair(UUID.randomUUID().toString(), "db1", new Term(term), "hv1", "hv2");
  }
}
