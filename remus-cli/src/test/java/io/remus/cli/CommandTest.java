package io.remus.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.remus.core.control.ControlJson;
import io.remus.core.control.DoctorReport;
import io.remus.core.control.DoctorReport.Check;
import io.remus.core.control.DoctorReport.Verdict;
import io.remus.core.control.DrillState;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.control.VerificationReport;
import io.remus.core.control.VerificationReport.Difference;
import io.remus.core.control.VerificationReport.Disk;
import io.remus.core.control.VerificationReport.Memory;
import io.remus.core.control.VmState;
import io.remus.core.control.VmStatus;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class CommandTest {
  private static final VmStatus.Sync SYNC =
      new VmStatus.Sync(2, 200L << 20, 4_711, 1_500, 300.0 * (1 << 20), 40, 0);

  @TempDir Path directory;
  private ScriptedAgent agent;

  @BeforeEach
  void start() throws Exception {
    agent = new ScriptedAgent(directory);
  }

  @AfterEach
  void stop() throws Exception {
    agent.close();
  }

  @Test
  void shouldListTheCopiesOfAVm() {
    Run run = remus("recover", "ledger");

    assertThat(run.exit()).isZero();
    assertThat(run.out().lines())
        .containsExactly(
            "HOST  COPY     TERM  EPOCH  COMMITTED             REMARK",
            "hv1   primary  3     -      -                     its own disks",
            "hv2   replica  3     41     1970-01-01T00:00:00Z  at this epoch");
    assertThat(agent.asked).isEmpty();
  }

  @Test
  void shouldRecoverFromTheCopyThatIsAskedFor() {
    assertThat(remus("recover", "ledger", "--from", "replica", "--force").exit()).isZero();

    assertThat(agent.asked)
        .containsExactly("recover ledger RecoverRequest[from=REPLICA, force=true]");
  }

  @Test
  void shouldProtectAndReturnAtOnce() {
    agent.script.add(ScriptedAgent.status(VmState.CONNECTING, null));

    Run run = remus("protect", "ledger", "--backup", "hv2", "--interval", "50ms", "--disk", "none");

    assertThat(run.exit()).isZero();
    assertThat(run.out()).contains("VM ledger: connecting");
    assertThat(agent.asked)
        .containsExactly(
            "protect ledger ProtectRequest[backup=hv2, intervalMs=50, idleIntervalMs=null, disk=none, diskDurability=null, spares=[]]");
  }

  @Test
  void shouldLeaveTheIntervalToTheAgentWhenNoneIsGiven() {
    agent.script.add(ScriptedAgent.status(VmState.CONNECTING, null));

    assertThat(remus("protect", "ledger", "--backup", "hv2").exit()).isZero();

    assertThat(agent.asked.get(0)).contains("intervalMs=null, idleIntervalMs=null, disk=null");
  }

  @Test
  void shouldWaitUntilTheVmIsProtectedAndPrintALineForEachStep() {
    scriptProtection(VmState.PROTECTED);

    Run run = remus("protect", "ledger", "--backup", "hv2", "--wait");

    assertThat(run.exit()).isZero();
    assertThat(run.out().lines())
        .containsExactly(
            "VM ledger: connecting",
            "VM ledger: syncing 40 %, round 2, 200.0 MiB sent at 300.0 MiB/s,"
                + " 4711 pages to go, guest dirties 1500 pages/s",
            "VM ledger: protected by hv2");
  }

  @Test
  void shouldDrawAProgressBarOnATerminal() {
    scriptProtection(VmState.PROTECTED);

    Run run = Run.atTerminal("", args("protect", "ledger", "--backup", "hv2", "--wait"));

    assertThat(run.exit()).isZero();
    assertThat(run.out())
        .contains("\rVM ledger: syncing [############                  ] 40 %")
        .contains("\rVM ledger: protected by hv2")
        .endsWith("\n");
  }

  @Test
  void shouldFailWithTheReasonWhenTheVmDoesNotGetProtected() {
    scriptProtection(VmState.UNPROTECTED);

    Run run = remus("protect", "ledger", "--backup", "hv2", "--wait");

    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.err())
        .contains("VM ledger is not protected but unprotected: the backup has too little memory")
        .contains("remus events");
  }

  @Test
  void shouldExitWithThreeWhenTheAgentRefuses() {
    Run unknown = remus("protect", "nosuch", "--backup", "hv2");
    Run silent = remus("unprotect", "ledger");

    assertThat(unknown.exit()).isEqualTo(3);
    assertThat(unknown.err()).contains("VM nosuch").contains("virsh list --all");
    assertThat(silent.exit()).isEqualTo(3);
    assertThat(silent.err()).contains("the backup does not answer").contains("Add --force.");
  }

  @Test
  void shouldUnprotect() {
    Run run = remus("unprotect", "ledger", "--force");

    assertThat(run.exit()).isZero();
    assertThat(agent.asked).containsExactly("unprotect ledger force");
  }

  @Test
  void shouldShowAllVmsAsATable() {
    agent.script.add(ScriptedAgent.status(VmState.PROTECTED, null));

    Run run = remus("status");

    assertThat(run.exit()).isZero();
    assertThat(run.out().lines().toList())
        .hasSize(3)
        .satisfies(lines -> assertThat(lines.get(0)).startsWith("VM      ROLE     STATE"))
        .satisfies(lines -> assertThat(lines.get(1)).contains("ledger", "hv2", "1.9 ms"))
        .satisfies(lines -> assertThat(lines.get(2)).contains("ARP is not held"));
  }

  @Test
  void shouldShowEverythingAboutOneVm() {
    agent.script.add(ScriptedAgent.status(VmState.SYNCING, SYNC));

    assertThat(remus("status", "ledger").out())
        .contains(VmState.SYNCING.sentence())
        .contains("captured 12, acked 11, released 10")
        .contains("nft bridge queue 7400", "write-protect", "4711 pages to go")
        .contains("38.5 epochs/s");
  }

  @Test
  void shouldSayThatThereIsNothingToShow() {
    assertThat(remus("status").out()).contains("No VM is protected");
    assertThat(remus("status", "nosuch").exit()).isEqualTo(3);
  }

  @Test
  void shouldShowTheSameAsJsonAndYaml() throws Exception {
    agent.script.add(ScriptedAgent.status(VmState.PROTECTED, null));

    JsonNode json = new ObjectMapper().readTree(remus("status", "-o", "json").out());
    JsonNode yaml = new YAMLMapper().readTree(remus("status", "-o", "yaml").out());

    assertThat(json.at("/0/figures/pause_ms/p99").asDouble()).isEqualTo(8.1);
    assertThat(yaml).isEqualTo(json);
  }

  @Test
  void shouldFailOverOnlyWhenAPersonAgrees() {
    assertThat(Run.atTerminal("n\n", args("failover", "ledger")).exit()).isEqualTo(1);
    assertThat(Run.atTerminal("", args("failover", "ledger")).exit()).isEqualTo(1);
    assertThat(agent.asked).isEmpty();

    Run agreed = Run.atTerminal("y\n", args("failover", "ledger"));

    assertThat(agreed.exit()).isZero();
    assertThat(agreed.err()).contains("Take VM ledger over on this host?");
    assertThat(agent.asked).containsExactly("failover ledger");
  }

  @Test
  void shouldNotFailOverWithoutATerminalUnlessToldTo() {
    Run refused = remus("failover", "ledger");
    assertThat(refused.exit()).isEqualTo(2);
    assertThat(refused.err()).contains("--yes");
    assertThat(agent.asked).isEmpty();

    assertThat(remus("failover", "ledger", "--yes").exit()).isZero();
  }

  @Test
  void shouldListHostsAndShowOne() {
    assertThat(remus("host", "list").out().lines())
        .anyMatch(line -> line.startsWith("hv1") && line.contains("8.0 GiB"))
        .anyMatch(line -> line.startsWith("hv2") && line.contains("not registered"));
    assertThat(remus("host", "show", "hv1").out()).contains("Bridges", "br0", "EPYC");
    assertThat(remus("host", "show", "hv9").exit()).isEqualTo(3);
  }

  @Test
  void shouldNameWhatADrainLeft() {
    Run drained = remus("host", "drain");

    assertThat(drained.exit()).isEqualTo(1);
    assertThat(drained.out())
        .contains("VM ledger: moved to its backup", "VM db: left here: it is not protected");
    assertThat(remus("host", "drain", "--undo").exit()).isZero();
    assertThat(agent.asked).containsExactly("drain", "end of drain");
  }

  @Test
  void shouldTellHowLongASwitchoverTook() {
    Run moved = remus("switchover", "ledger");

    assertThat(moved.exit()).isZero();
    assertThat(moved.err()).contains("VM ledger: moving to its backup");
    assertThat(moved.out())
        .contains("VM ledger: runs on hv2 since the end of epoch 1041; it ran nowhere for 54.0 ms")
        .contains("stop 4.1 ms, ack 8.2 ms, hand-over 1.3 ms, activation 40.4 ms");
    assertThat(remus("switchover", "ledger", "-o", "json").out())
        .contains("\"outage_ms\" : 54.0", "\"host\" : \"hv2\"");
    assertThat(agent.asked).containsExactly("switchover ledger", "switchover ledger");
  }

  @Test
  void shouldWaitForTheCloneAndTellHowToLookAtIt() {
    agent.drills.add(ScriptedAgent.drill(DrillState.COPYING, 0, ""));
    agent.drills.add(ScriptedAgent.drill(DrillState.COPYING, 42, ""));
    agent.drills.add(ScriptedAgent.drill(DrillState.RUNNING, 100, ""));

    Run run = remus("drill", "ledger", "--address", "10.77.0.99/24", "--for", "2m");

    assertThat(run.exit()).isZero();
    assertThat(run.out().lines())
        .startsWith("VM ledger: drill copying 0 %", "VM ledger: drill copying 42 %")
        .contains("  network  ip netns exec remus-drill-nosuch sh")
        .contains("  console  virsh console ledger-drill");
    assertThat(agent.asked)
        .containsExactly("drill ledger DrillRequest[address=10.77.0.99/24, limitSeconds=120]");
  }

  @Test
  void shouldFailWithTheReasonWhenTheCloneDoesNotRun() {
    agent.drills.add(ScriptedAgent.drill(DrillState.ENDED, 12, "VM ledger was taken over"));

    Run run = remus("drill", "ledger");

    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.err()).contains("came to nothing: VM ledger was taken over");
  }

  @Test
  void shouldEndTheDrillWhateverBecomesOfItsCheck() throws Exception {
    assumeTrue(Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "needs root");
    agent.drills.add(ScriptedAgent.drill(DrillState.RUNNING, 100, ""));

    Run run = remus("drill", "ledger", "--check", "true", "-o", "json");

    assertThat(run.exit()).as("there is no such namespace").isEqualTo(1);
    JsonNode report = ControlJson.replies().readTree(run.out());
    assertThat(report.at("/passed").asBoolean()).isFalse();
    assertThat(report.at("/check/exit").asInt()).isPositive();
    assertThat(report.at("/check/output").asText()).contains("remus-drill-nosuch");
    assertThat(report.at("/drill/epoch").asLong()).isEqualTo(41);
    assertThat(agent.asked.get(1)).isEqualTo("stop drill ledger");
  }

  @Test
  void shouldStopADrill() {
    assertThat(remus("drill", "ledger", "--stop").exit()).isZero();
    assertThat(agent.asked).containsExactly("stop drill ledger");
    assertThat(remus("drill", "ledger", "--stop", "--check", "true").exit()).isEqualTo(2);
    assertThat(remus("drill", "ledger", "--address", "somewhere").exit()).isEqualTo(2);
    assertThat(remus("drill", "ledger", "--for", "10us").exit()).isEqualTo(2);
  }

  @Test
  void shouldSayThatTheStandbyIsEqual() {
    agent.verification =
        new VerificationReport(
            "ledger",
            "hv2",
            41,
            true,
            new Memory(546, 571L << 20, 0, List.of()),
            List.of(
                new Disk("vda", 64L << 20, 1024, 0, List.of(), null),
                Disk.notCompared("sda", "format qcow2")),
            1.25);

    Run equal = remus("verify", "ledger");

    assertThat(equal.exit()).isZero();
    assertThat(equal.out())
        .isEqualTo(
            """
            VM ledger: the standby on hv2 is equal at epoch 41 (1.3 s)
            memory: 571.0 MiB in 546 pieces compared, 0 differ
            disk vda: 64.0 MiB in 1024 blocks compared, 0 differ
            disk sda: NOT COMPARED, format qcow2
            """);
    assertThat(agent.asked).containsExactly("verify ledger");
  }

  @Test
  void shouldNameWhatDiffersAndExitWithOne() throws Exception {
    agent.verification =
        new VerificationReport(
            "ledger",
            "hv2",
            41,
            false,
            new Memory(546, 571L << 20, 3, List.of(new Difference("pc.ram", 300 << 20, 1 << 20))),
            List.of(new Disk("vda", 64L << 20, 1024, 4, List.of(0x30000L), null)),
            1.25);

    Run differs = remus("verify", "ledger");

    assertThat(differs.exit()).isEqualTo(1);
    assertThat(differs.out())
        .contains("DIFFERS at epoch 41", "pc.ram  0x12c00000  1.0 MiB", "and 2 more")
        .contains("disk vda: 64.0 MiB in 1024 blocks compared, 4 differ", "vda   0x30000", "and 3");
    Run json = remus("verify", "ledger", "-o", "json");
    assertThat(json.exit()).isEqualTo(1);
    assertThat(ControlJson.replies().readValue(json.out(), VerificationReport.class))
        .isEqualTo(agent.verification);
  }

  @Test
  void shouldShowHowFarAComparisonIs() throws Exception {
    agent.verifying = new CompletableFuture<>();
    CompletableFuture<Run> verifying =
        CompletableFuture.supplyAsync(() -> Run.atTerminal("", args("verify", "ledger")));
    await().atMost(Duration.ofSeconds(60)).until(() -> agent.asked.contains("progress"));
    agent.verifying.complete(
        new VerificationReport(
            "ledger", "hv2", 41, true, new Memory(1, 4096, 0, List.of()), List.of(), 2));

    Run equal = verifying.get(60, TimeUnit.SECONDS);

    assertThat(equal.err()).startsWith("VM ledger: 38 % hashed, the standby is through\n");
    assertThat(equal.out()).startsWith("VM ledger: the standby on hv2 is equal at epoch 41");
  }

  @Test
  void shouldRefuseToCompareWhatIsNotProtected() {
    Run refused = remus("verify", "ledger");

    assertThat(refused.exit()).isEqualTo(3);
    assertThat(refused.err()).contains("VM ledger is neither protected");
  }

  @Test
  void shouldPrintEvents() throws Exception {
    agent.events.host(Level.INFO, "the agent started");
    agent.events.state(Level.WARNING, "ledger", VmState.UNPROTECTED, "the backup is lost");

    assertThat(remus("events").out().lines().toList())
        .hasSize(2)
        .last()
        .asString()
        .contains("warning", "ledger", "[unprotected] the backup is lost");
    JsonNode second =
        ControlJson.replies().readTree(remus("events", "-o", "json", "--since", "1").out());
    assertThat(second.at("/sequence").asLong()).isEqualTo(2);
  }

  @Test
  void shouldFollowEventsUntilTheAgentEnds() throws Exception {
    agent.events.host(Level.INFO, "before");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    CompletableFuture<Integer> following =
        CompletableFuture.supplyAsync(() -> Run.writingTo(out, args("events", "--follow")));
    await().atMost(Duration.ofSeconds(60)).until(() -> out.toString(UTF_8).contains("before"));

    agent.events.host(Level.INFO, "during");
    await().atMost(Duration.ofSeconds(60)).until(() -> out.toString(UTF_8).contains("during"));
    agent.close();

    assertThat(following.get(60, TimeUnit.SECONDS)).isEqualTo(4);
  }

  @Test
  void shouldReportEveryCheckOfTheDoctor() {
    agent.report =
        new DoctorReport(
            List.of(
                new Check("kernel", Verdict.OK, "6.18", ""),
                new Check("nft queue", Verdict.WARNING, "none", "Load nft_queue.")));
    Run usable = remus("doctor");
    assertThat(usable.exit()).isZero();
    assertThat(usable.out()).contains("kernel", "6.18", "nft queue (warning): Load nft_queue.");

    List<Check> checks = new ArrayList<>(agent.report.checks());
    checks.add(new Check("libvirt", Verdict.FAILED, "not running", "Start libvirtd."));
    agent.report = new DoctorReport(checks);
    assertThat(remus("doctor").exit()).isEqualTo(1);
    assertThat(remus("doctor", "-o", "json").out()).contains("\"verdict\" : \"failed\"");
  }

  private void scriptProtection(VmState end) {
    agent.script.add(ScriptedAgent.status(VmState.CONNECTING, null));
    agent.script.add(ScriptedAgent.status(VmState.SYNCING, SYNC));
    agent.script.add(ScriptedAgent.status(VmState.SYNCING, SYNC));
    agent.script.add(ScriptedAgent.status(end, null));
  }

  private Run remus(String... args) {
    return Run.of(args(args));
  }

  private String[] args(String... args) {
    List<String> all = new ArrayList<>(List.of(args));
    all.add("--socket");
    all.add(agent.socket.toString());
    return all.toArray(new String[0]);
  }
}
