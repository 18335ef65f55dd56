package io.remus.agent.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remus.agent.config.AgentConfig;
import io.remus.agent.peer.TestPki;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EtcdTlsTest {
  @TempDir Path directory;

  @Test
  void shouldTalkToAnEtcdThatWantsCertificatesAndToNoOther() throws Exception {
    TestPki pki = new TestPki(directory, "ca").issue("localhost");
    TestPki stranger = new TestPki(directory, "stranger").issue("localhost");
    try (EtcdCluster cluster = new EtcdCluster(directory, 1, Optional.of(pki))) {
      assertThat(read(cluster.config()).isMissing()).isTrue();
      assertThatThrownBy(() -> read(with(cluster, pki.ca(), stranger)))
          .as("certificate of another CA")
          .isInstanceOf(EtcdException.class);
      assertThatThrownBy(() -> read(with(cluster, stranger.ca(), pki)))
          .as("etcd of another CA")
          .isInstanceOf(EtcdException.class)
          .hasMessageContaining("certification path");
    }
  }

  @Test
  void shouldNameTheFileThatCannotBeUsed() throws Exception {
    TestPki pki = new TestPki(directory, "ca").issue("localhost");
    Path empty = Files.createFile(directory.resolve("empty"));
    Path certificate = pki.certificate("localhost");
    Path key = pki.key("localhost");

    assertThatThrownBy(() -> open(directory.resolve("none"), certificate, key))
        .hasMessageContaining("none is missing");
    assertThatThrownBy(() -> open(empty, certificate, key)).hasMessageContaining(empty.toString());
    assertThatThrownBy(() -> open(pki.ca(), empty, key)).hasMessageContaining(empty.toString());
    assertThatThrownBy(() -> open(pki.ca(), certificate, certificate))
        .hasMessageContaining("PKCS#8");
  }

  private static Entry read(AgentConfig.Arbiter config) throws Exception {
    try (EtcdClient client = EtcdClient.open(config)) {
      return client.read("/nothing", Deadline.ofQuestion());
    }
  }

  private static AgentConfig.Arbiter with(EtcdCluster cluster, Path ca, TestPki own) {
    return EtcdCluster.config(
        cluster.config().endpoints(),
        Optional.of(ca),
        Optional.of(own.certificate("localhost")),
        Optional.of(own.key("localhost")));
  }

  private static void open(Path ca, Path certificate, Path key) throws Exception {
    EtcdClient.open(
            EtcdCluster.config(
                List.of(URI.create("https://localhost:1")),
                Optional.of(ca),
                Optional.of(certificate),
                Optional.of(key)))
        .close();
  }
}
