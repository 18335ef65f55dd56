package io.remus.agent.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.ssl.OpenSsl;
import io.remus.agent.peer.PeerException.Reason;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PeerTlsTest {

  @TempDir private Path folder;
  private TestPki pki;

  @BeforeEach
  void issue() throws Exception {
    pki = new TestPki(folder, "lab").issue("hv1").issue("hv2");
  }

  @Test
  void shouldUseBoringSsl() {
    assertThat(OpenSsl.isAvailable())
        .withFailMessage(() -> "" + OpenSsl.unavailabilityCause())
        .isTrue();
  }

  @Test
  void shouldLoadEcAndRsaKeys() throws Exception {
    assertThat(pki.tls("hv1").hostName()).isEqualTo("hv1");
    assertThat(pki.issue("hv3", "RSA", Duration.ofDays(1)).tls("hv3").hostName()).isEqualTo("hv3");
  }

  @Test
  void shouldNameAMissingFile() throws Exception {
    Files.delete(pki.key("hv1"));

    refuses(() -> pki.tls("hv1"), "lab-hv1.key is missing; make it with `remus pki issue`");
  }

  @Test
  void shouldNameAFileThatIsNotWhatItShouldBe() throws Exception {
    Files.writeString(pki.certificate("hv1"), "");
    refuses(() -> pki.tls("hv1"), "lab-hv1.crt holds no certificate");
    Files.writeString(pki.certificate("hv1"), "hello");
    refuses(() -> pki.tls("hv1"), "lab-hv1.crt is no certificate in PEM");
    Files.writeString(pki.key("hv2"), "hello");
    refuses(() -> pki.tls("hv2"), "lab-hv2.key holds no private key");
    Files.writeString(
        pki.key("hv2"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    refuses(() -> pki.tls("hv2"), "lab-hv2.key is neither an EC nor an RSA private key");
  }

  @Test
  void shouldRefuseAFolderInPlaceOfAFile() {
    refuses(
        () -> PeerTls.load("hv1", folder, pki.certificate("hv1"), pki.key("hv1")),
        folder + " cannot be read");
  }

  @Test
  void shouldRefuseTheKeyOfAnotherCertificate() {
    refuses(
        () -> PeerTls.load("hv1", pki.ca(), pki.certificate("hv1"), pki.key("hv2")),
        "lab-hv2.key is not the key of " + pki.certificate("hv1"));
  }

  @Test
  void shouldRefuseACertificateOfAnotherHost() {
    refuses(
        () -> PeerTls.load("hv1", pki.ca(), pki.certificate("hv2"), pki.key("hv2")),
        "lab-hv2.crt is a certificate for hv2; this host is hv1");
  }

  @Test
  void shouldRefuseACertificateOfAnotherCa() throws Exception {
    TestPki other = new TestPki(folder, "other");

    refuses(
        () -> PeerTls.load("hv1", other.ca(), pki.certificate("hv1"), pki.key("hv1")),
        "lab-hv1.crt is not valid under the CA " + other.ca());
  }

  @Test
  void shouldRefuseAnExpiredCertificate() throws Exception {
    pki.issue("hv1", "EC", Duration.ofDays(-1));

    refuses(() -> pki.tls("hv1"), "lab-hv1.crt is not valid under the CA");
  }

  private static void refuses(ThrowingCallable action, String message) {
    assertThatThrownBy(action)
        .isInstanceOfSatisfying(
            PeerException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TLS_FILES))
        .hasMessageContaining(message);
  }
}
