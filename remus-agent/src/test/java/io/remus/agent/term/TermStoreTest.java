package io.remus.agent.term;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remus.core.control.DiskDurability;
import io.remus.core.failover.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TermStoreTest {
  private static final String UUID = "6f1e4a52-0d4e-4c39-9f5d-1f0d6a3c2b11";
  private static final String OTHER_UUID = "6f1e4a52-0d4e-4c39-9f5d-1f0d6a3c2b12";
  private static final Wish WISH =
      new Wish("hv2", 25, 200, true, DiskDurability.MEMORY, List.of("hv3"));

  @TempDir private Path host;
  private Path directory;
  private TermStore store;

  @BeforeEach
  void open() throws Exception {
    directory = host.resolve("state/terms");
    store = new TermStore(directory);
  }

  @Test
  void shouldKnowNothingAtFirst() {
    assertThat(store.find(UUID)).isEmpty();
    assertThat(store.all()).isEmpty();
  }

  @Test
  void shouldRememberEveryVmForTheNextAgent() throws Exception {
    VmRecord ledger = new VmRecord(UUID, "ledger", 3, Role.PRIMARY, WISH, 7400, true, true);
    VmRecord echo = new VmRecord(OTHER_UUID, "echo", 1, Role.STANDBY, WISH, 7400, false, false);
    store.save(ledger);
    store.save(echo);

    TermStore next = new TermStore(directory);

    assertThat(next.find(UUID)).contains(ledger);
    assertThat(next.all()).containsExactlyInAnyOrder(ledger, echo);
  }

  @Test
  void shouldReplaceTheWholeRecordAndLeaveNothingHalfWritten() throws Exception {
    store.save(record(1, Role.PRIMARY));
    store.save(record(1, Role.PRIMARY).unwanted());
    store.save(record(2, Role.SUPERSEDED));

    assertThat(store.find(UUID)).contains(record(2, Role.SUPERSEDED));
    assertThat(directory).isDirectoryNotContaining(f -> !f.toString().endsWith(".json"));
  }

  @Test
  void shouldNotBeDisturbedByAWriteThatACrashCutOff() throws Exception {
    store.save(record(2, Role.PRIMARY));
    Files.writeString(directory.resolve(UUID + ".new"), "{\"uuid\":");

    TermStore next = new TermStore(directory);

    assertThat(next.all()).containsExactly(record(2, Role.PRIMARY));
    next.save(record(3, Role.PRIMARY));
    assertThat(next.find(UUID)).contains(record(3, Role.PRIMARY));
  }

  @Test
  void shouldNotLetATermGoBack() throws Exception {
    store.save(record(5, Role.ACTIVE));

    assertThatThrownBy(() -> store.save(record(4, Role.PRIMARY)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("term of VM ledger cannot go back from 5 to 4");
    assertThat(store.find(UUID)).contains(record(5, Role.ACTIVE));
    store.save(record(5, Role.SUPERSEDED));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "not json", "{\"colour\":\"red\"}", "{}", "null"})
  void shouldNameABrokenRecordAndSayWhatToDo(String text) throws Exception {
    Path file = directory.resolve(UUID + ".json");
    Files.writeString(file, text);

    assertThatThrownBy(() -> new TermStore(directory))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("the record " + file + " cannot be read")
        .hasMessageContaining("restore it or, when you know that no other host runs the VM");
    assertThat(file).hasContent(text);
  }

  @Test
  void shouldKnowOnlyWhatIsOnDiskWhenAWriteFails() throws Exception {
    store.save(record(1, Role.PRIMARY));
    Path obstacle = Files.createDirectory(directory.resolve(UUID + ".new"));
    assertThatThrownBy(() -> store.save(record(2, Role.PRIMARY))).isInstanceOf(IOException.class);
    assertThat(store.find(UUID)).contains(record(1, Role.PRIMARY));

    Files.delete(obstacle);
    store.save(record(2, Role.PRIMARY));
    assertThat(new TermStore(directory).find(UUID)).contains(record(2, Role.PRIMARY));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "../../etc/remus/remus.conf",
        "../../../../../../../../etc/remus.pem",
        "6f1e4a52-0d4e-4c39-9f5d-1f0d6a3c2b1/",
        "6f1e4a52-0d4e-4c39-9f5d-1f0d6a3c2b11\n"
      })
  void shouldNotTakeAnythingElseForAUuid(String hostile) {
    assertThat(store.find(hostile)).isEmpty();
    assertThatThrownBy(
            () -> store.save(new VmRecord(hostile, "x", 1, Role.PRIMARY, WISH, 7400, false, true)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(directory).isEmptyDirectory();
  }

  private static VmRecord record(long term, Role role) {
    return new VmRecord(UUID, "ledger", term, role, WISH, 7400, false, true);
  }
}
