package io.remus.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MigrationGuardTest {
  @TempDir Path directory;

  @Test
  void shouldBeAnImageThatQemuOpensAndFindsNothingWrongWith() throws Exception {
    Path image = directory.resolve("guard.vdi");
    Files.write(image, MigrationGuard.image().array());

    assertThat(qemuImg("check", image)).contains("No errors were found");
    assertThat(qemuImg("info", image)).contains("1 MiB (1048576 bytes)");
  }

  private static String qemuImg(String command, Path image) throws Exception {
    Process process =
        new ProcessBuilder("qemu-img", command, "-f", "vdi", image.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }
}
