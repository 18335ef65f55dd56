package io.remus.agent.disk.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.remus.core.control.DiskDurability;
import io.remus.core.wire.DiskImage;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A real process with real files, killed at any time while it stages, commits and applies. */
class KillTest {
  private static final int ROUNDS = 8;
  private static final int MOST_EPOCHS = 150;
  private static final List<DiskImage> DISKS =
      List.of(new DiskImage("vda", 4 << 20), new DiskImage("vdb", 1_000_001));

  @TempDir private Path directory;

  @ParameterizedTest
  @EnumSource(DiskDurability.class)
  void shouldBeAtOneEpochAfterAKill(DiskDurability durability) throws Exception {
    Random random = new Random(durability.name().hashCode());
    for (int round = 0; round < ROUNDS; round++) {
      Path all = Files.createDirectory(directory.resolve("round" + round));
      long seed = random.nextLong();
      long acked = killAfter(1 + random.nextInt(MOST_EPOCHS - 50), all, seed, durability);

      Replicas.Recovered found = Replicas.recover(all).get(0);

      assertThat(found.problem()).isNull();
      assertThat(found.info().epoch()).as("seed %d", seed).isGreaterThanOrEqualTo(acked);
      expectEpoch(found.info(), seed);
      assertThat(all.resolve(Guest.UUID).toFile().list())
          .containsExactlyInAnyOrder("replica.json", "vda.raw", "vdb.raw");
    }
  }

  private static long killAfter(long lines, Path all, long seed, DiskDurability durability)
      throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-Dremus.library=" + System.getProperty("remus.library"),
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                all.toString(),
                Long.toString(seed),
                durability.name())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    long acked = 0;
    try (BufferedReader out = child.inputReader()) {
      String line;
      while ((line = out.readLine()) != null) {
        if (!line.startsWith(Child.COMMITTED)) {
          continue; // a log's
        }
        acked = Long.parseLong(line.substring(Child.COMMITTED.length()));
        if (acked == lines) {
          child.toHandle().destroyForcibly();
        }
      }
    }
    assertThat(child.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(child.exitValue()).as("killed, not ended").isEqualTo(128 + 9);
    return acked;
  }

  private static void expectEpoch(ReplicaInfo info, long seed) throws IOException {
    Guest guest = new Guest(new Random(seed), DISKS);
    for (long epoch = 1; epoch <= info.epoch(); epoch++) {
      for (int i = 0; i < Child.CHUNKS; i++) {
        guest.write(Child.RECORDS, Child.BYTES);
      }
    }
    List<byte[]> expected = guest.contents();
    for (int i = 0; i < DISKS.size(); i++) {
      assertThat(Files.readAllBytes(info.disks().get(i).path()))
          .as("%s at epoch %d, seed %d", DISKS.get(i).target(), info.epoch(), seed)
          .isEqualTo(expected.get(i));
    }
  }

  /** Says the number of each epoch whose commit returned, until it is killed. */
  static final class Child {
    static final String COMMITTED = "committed ";
    static final int CHUNKS = 2;
    static final int RECORDS = 4;
    static final int BYTES = 20_000;

    private Child() {}

    public static void main(String[] arguments) throws IOException {
      Guest guest = new Guest(new Random(Long.parseLong(arguments[1])), DISKS);
      Replica replica =
          Replica.open(
              Path.of(arguments[0]),
              new ReplicaSpec(Guest.UUID, "ledger", "hv1", DISKS, Map.of(), Map.of(), "<domain/>"),
              2 << 20,
              DiskDurability.valueOf(arguments[2]),
              error -> Runtime.getRuntime().halt(1));
      replica.beginSynchronisation(1);
      for (long epoch = 1; epoch <= 100L * MOST_EPOCHS; epoch++) {
        for (int i = 0; i < CHUNKS; i++) {
          replica.stage(epoch, guest.write(RECORDS, BYTES));
        }
        replica.commit(1, epoch);
        System.out.println(COMMITTED + epoch);
      }
    }
  }
}
