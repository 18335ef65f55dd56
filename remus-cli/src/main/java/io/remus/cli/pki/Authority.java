package io.remus.cli.pki;

import io.remus.cli.ExitCode;
import io.remus.cli.Failure;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.stream.Stream;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * A certificate authority for the hosts that protect each other: {@code ca.crt} and {@code ca.key}
 * in a directory, and {@code HOST.crt} and {@code HOST.key} for each host. ECDSA P-256 throughout.
 */
public final class Authority {
  private static final Duration CA_VALIDITY = Duration.ofDays(3_650);

  /** Certificates begin a little in the past, for hosts whose clocks are behind. */
  private static final Duration CLOCK_SKEW = Duration.ofHours(1);

  private static final String ALGORITHM = "SHA256withECDSA";

  private final Path directory;
  private final Instant now;
  private final SecureRandom random = new SecureRandom();

  public Authority(Path directory, Instant now) {
    this.directory = directory;
    this.now = now;
  }

  public Path caCertificate() {
    return directory.resolve("ca.crt");
  }

  private Path caKey() {
    return directory.resolve("ca.key");
  }

  public Path certificate(String host) {
    return directory.resolve(host + ".crt");
  }

  public Path key(String host) {
    return directory.resolve(host + ".key");
  }

  /**
   * Makes the authority.
   *
   * @param force replaces one that is there, which makes all its certificates worthless
   */
  public void init(boolean force) {
    attempt(
        () -> {
          Files.createDirectories(
              directory,
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
          refuseExisting(force, caCertificate(), caKey());
          KeyPair keys = keys();
          X500Name name = name("Remus CA");
          X509v3CertificateBuilder builder = builder(name, name, keys, CA_VALIDITY);
          builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
          builder.addExtension(
              Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
          PemFiles.writeKey(caKey(), keys.getPrivate());
          PemFiles.writeCertificate(caCertificate(), sign(builder, keys.getPrivate()));
        });
  }

  /**
   * Makes a host's key and certificate.
   *
   * @param addresses IP addresses it is reached by, beside its name
   * @param force replaces those that are there
   */
  public void issue(String host, List<String> addresses, int days, boolean force) {
    attempt(
        () -> {
          X509CertificateHolder ca = readCa();
          PrivateKey caPrivate = PemFiles.readKey(caKey());
          refuseExisting(force, certificate(host), key(host));
          KeyPair keys = keys();
          X509v3CertificateBuilder builder =
              builder(ca.getSubject(), name(host), keys, Duration.ofDays(days));
          JcaX509ExtensionUtils identifiers = new JcaX509ExtensionUtils();
          builder.addExtension(
              Extension.authorityKeyIdentifier,
              false,
              identifiers.createAuthorityKeyIdentifier(ca));
          builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
          builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
          builder.addExtension(
              Extension.extendedKeyUsage,
              false,
              new ExtendedKeyUsage(
                  new KeyPurposeId[] {
                    KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
                  }));
          builder.addExtension(
              Extension.subjectAlternativeName, false, alternativeNames(host, addresses));
          PemFiles.writeKey(key(host), keys.getPrivate());
          PemFiles.writeCertificate(certificate(host), sign(builder, caPrivate));
        });
  }

  /** Every certificate of the directory, the authority's first. */
  public List<Issued> list() {
    List<Issued> all = new ArrayList<>();
    attempt(
        () -> {
          all.add(Issued.of(caCertificate(), readCa()));
          try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.sorted().toList()) {
              String name = file.getFileName().toString();
              if (name.endsWith(".crt") && !file.equals(caCertificate())) {
                all.add(Issued.of(file, PemFiles.readCertificate(file)));
              }
            }
          }
        });
    return all;
  }

  private X509CertificateHolder readCa() throws IOException {
    if (Files.notExists(caCertificate())) {
      throw new Failure(
          ExitCode.FAILED,
          "there is no certificate authority in " + directory,
          "Make one with: remus pki init --directory " + directory);
    }
    return PemFiles.readCertificate(caCertificate());
  }

  private static void refuseExisting(boolean force, Path... files) {
    for (Path file : files) {
      if (!force && Files.exists(file)) {
        throw new Failure(
            ExitCode.REFUSED,
            file + " exists and is not overwritten",
            "Use --force to replace it; what was issued before no longer works then.");
      }
    }
  }

  private KeyPair keys() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"), random);
    return generator.generateKeyPair();
  }

  private X509v3CertificateBuilder builder(
      X500Name issuer, X500Name subject, KeyPair keys, Duration validity)
      throws GeneralSecurityException, IOException {
    X509v3CertificateBuilder builder =
        new JcaX509v3CertificateBuilder(
            issuer,
            new BigInteger(127, random).setBit(126),
            Date.from(now.minus(CLOCK_SKEW)),
            Date.from(now.plus(validity)),
            subject,
            keys.getPublic());
    builder.addExtension(
        Extension.subjectKeyIdentifier,
        false,
        new JcaX509ExtensionUtils().createSubjectKeyIdentifier(keys.getPublic()));
    return builder;
  }

  private static X509CertificateHolder sign(X509v3CertificateBuilder builder, PrivateKey key)
      throws OperatorCreationException {
    return builder.build(new JcaContentSignerBuilder(ALGORITHM).build(key));
  }

  private static GeneralNames alternativeNames(String host, List<String> addresses) {
    List<GeneralName> names = new ArrayList<>();
    names.add(new GeneralName(GeneralName.dNSName, host));
    addresses.forEach(address -> names.add(new GeneralName(GeneralName.iPAddress, address)));
    return new GeneralNames(names.toArray(new GeneralName[0]));
  }

  private static X500Name name(String commonName) {
    return new X500NameBuilder().addRDN(BCStyle.CN, commonName).build();
  }

  /** Work with files and keys. */
  @FunctionalInterface
  private interface Attempt {
    void run() throws IOException, GeneralSecurityException, OperatorCreationException;
  }

  private void attempt(Attempt attempt) {
    try {
      attempt.run();
    } catch (FileSystemException e) {
      String reason = e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
      throw new Failure(
          ExitCode.FAILED,
          e.getFile() + " cannot be read or written: " + reason,
          "Run the command as the owner of " + directory + ", or choose another --directory.");
    } catch (IOException | GeneralSecurityException | OperatorCreationException e) {
      throw new Failure(ExitCode.FAILED, "the certificate work failed: " + e, "");
    }
  }
}
