package io.remus.cli.pki;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remus.cli.Failure;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the JDK, which knows nothing of how they were made, thinks of the files. */
class AuthorityTest {
  private final Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);

  @TempDir Path directory;

  @Test
  void shouldMakeAnAuthorityThatMaySignHostsOnly() throws Exception {
    authority().init(false);

    X509Certificate ca = certificate("ca.crt");
    ca.verify(ca.getPublicKey());
    assertThat(ca.getBasicConstraints()).isZero();
    assertThat(ca.getKeyUsage()[5]).as("keyCertSign").isTrue();
    assertThat(ca.getNotAfter().toInstant()).isEqualTo(now.plus(Duration.ofDays(3_650)));
    assertThat(ca.getSigAlgName()).isEqualTo("SHA256withECDSA");
  }

  @Test
  void shouldIssueAHostCertificateForServerAndClient() throws Exception {
    authority().init(false);
    authority().issue("hv1", List.of("10.0.0.1", "fd00::1"), 825, false);

    X509Certificate host = certificate("hv1.crt");
    host.verify(certificate("ca.crt").getPublicKey());
    host.checkValidity();
    assertThat(host.getSubjectX500Principal().getName()).isEqualTo("CN=hv1");
    assertThat(host.getBasicConstraints()).as("no authority").isEqualTo(-1);
    assertThat(host.getNotAfter().toInstant()).isEqualTo(now.plus(Duration.ofDays(825)));
    assertThat(host.getExtendedKeyUsage())
        .containsExactlyInAnyOrder("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2");
    assertThat(host.getSubjectAlternativeNames())
        .extracting(name -> name.get(0) + " " + name.get(1))
        .containsExactlyInAnyOrder("2 hv1", "7 10.0.0.1", "7 fd00:0:0:0:0:0:0:1");
  }

  @Test
  void shouldWriteAPkcs8KeyThatBelongsToTheCertificate() throws Exception {
    authority().init(false);
    authority().issue("hv1", List.of(), 1, false);
    String pem = Files.readString(directory.resolve("hv1.key"));
    assertThat(pem).startsWith("-----BEGIN PRIVATE KEY-----");
    byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[^-]*-----", ""));
    PrivateKey key = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der));

    Signature signature = Signature.getInstance("SHA256withECDSA");
    signature.initSign(key);
    signature.update(new byte[] {1, 2, 3});
    byte[] signed = signature.sign();
    signature.initVerify(certificate("hv1.crt"));
    signature.update(new byte[] {1, 2, 3});

    assertThat(signature.verify(signed)).isTrue();
  }

  @Test
  void shouldKeepKeysFromEveryoneElseAndLeaveNothingHalfWritten() throws Exception {
    authority().init(false);
    authority().issue("hv1", List.of(), 825, false);

    assertThat(mode("ca.key")).isEqualTo("rw-------");
    assertThat(mode("hv1.key")).isEqualTo("rw-------");
    assertThat(mode("hv1.crt")).isEqualTo("rw-r--r--");
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("ca.crt", "ca.key", "hv1.crt", "hv1.key");
    }
  }

  @Test
  void shouldNotOverwriteUnlessForced() throws Exception {
    authority().init(false);
    authority().issue("hv1", List.of(), 825, false);
    byte[] before = Files.readAllBytes(directory.resolve("hv1.key"));

    assertThatThrownBy(() -> authority().init(false)).isInstanceOf(Failure.class);
    assertThatThrownBy(() -> authority().issue("hv1", List.of(), 825, false))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("exists and is not overwritten");
    assertThat(directory.resolve("hv1.key")).hasBinaryContent(before);

    authority().issue("hv1", List.of(), 825, true);
    assertThat(Files.readAllBytes(directory.resolve("hv1.key"))).isNotEqualTo(before);
  }

  @Test
  void shouldListWhatItMadeTheAuthorityFirst() {
    authority().init(false);
    authority().issue("hv2", List.of("10.0.0.2"), 30, false);
    authority().issue("alpha", List.of(), 30, false);

    assertThat(authority().list())
        .extracting(Issued::name)
        .containsExactly("Remus CA", "alpha", "hv2");
    assertThat(authority().list().get(2).names()).containsExactly("hv2", "10.0.0.2");
  }

  @Test
  void shouldSayWhatToDoWithoutAnAuthority() {
    assertThatThrownBy(() -> authority().issue("hv1", List.of(), 825, false))
        .isInstanceOfSatisfying(
            Failure.class, failure -> assertThat(failure.advice()).contains("remus pki init"));
  }

  private Authority authority() {
    return new Authority(directory, now);
  }

  private String mode(String file) throws Exception {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve(file)));
  }

  private X509Certificate certificate(String file) throws Exception {
    try (InputStream input = Files.newInputStream(directory.resolve(file))) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(input);
    }
  }
}
