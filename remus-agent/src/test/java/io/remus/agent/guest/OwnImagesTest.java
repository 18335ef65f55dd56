package io.remus.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OwnImagesTest {
  @TempDir private Path directory;
  private Path image;

  @BeforeEach
  void make() throws IOException {
    image = Files.createFile(directory.resolve("vda.raw"));
  }

  @Test
  void shouldFindARawFileThatNoOtherVmNames() throws IOException {
    Path other = Files.createFile(directory.resolve("other.raw"));

    assertThat(OwnImages.of(vm(disk("raw", image)), List.of(vm(disk("raw", other)))))
        .isEqualTo(Map.of("vda", image));
  }

  @Test
  void shouldNotTakeAFileOfAnotherFormatNorAnythingThatIsNoFile() {
    assertThat(OwnImages.of(vm(disk("qcow2", image)), List.of())).isEmpty();
    assertThat(OwnImages.of(vm(disk("raw", directory)), List.of())).isEmpty();
    assertThat(OwnImages.of(vm(disk("raw", directory.resolve("gone"))), List.of())).isEmpty();
    assertThat(OwnImages.of(vm(disk("raw", Path.of("/dev/null"))), List.of())).isEmpty();
    assertThat(OwnImages.of(vm(""), List.of())).isEmpty();
  }

  @Test
  void shouldNotTakeAFileThatAnotherVmHasByWhateverName() throws IOException {
    Path link = Files.createSymbolicLink(directory.resolve("link"), image);
    String overlay =
        """
        <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/overlay'/>
        <backingStore type='file'><format type='raw'/><source file='%s'/></backingStore>
        <target dev='vdx'/></disk>"""
            .formatted(image);

    for (String others : List.of(disk("raw", image), disk("raw", link), overlay)) {
      assertThat(OwnImages.of(vm(disk("raw", image)), List.of(vm(""), vm(others)))).isEmpty();
    }
  }

  private static String disk(String format, Path file) {
    return """
        <disk type='file' device='disk'><driver name='qemu' type='%s'/><source file='%s'/>
        <target dev='vda'/></disk>"""
        .formatted(format, file);
  }

  private static DomainDescription vm(String devices) {
    return new DomainDescription(
        "<domain><name>ledger</name><devices>%s</devices></domain>".formatted(devices));
  }
}
