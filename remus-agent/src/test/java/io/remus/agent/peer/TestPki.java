package io.remus.agent.peer;

import java.io.IOException;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A CA and what it issues, as PEM files in a folder. */
public final class TestPki {

  private final Path folder;
  private final String name;
  private final KeyPair keys;

  public TestPki(Path folder, String name) throws Exception {
    this.folder = folder;
    this.name = name;
    this.keys = keyPair("EC");
    X509v3CertificateBuilder builder = builder(keys, name, Duration.ofDays(1));
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
    write(ca(), sign(builder));
  }

  public Path ca() {
    return folder.resolve(name + "-ca.crt");
  }

  public Path certificate(String host) {
    return folder.resolve(name + "-" + host + ".crt");
  }

  public Path key(String host) {
    return folder.resolve(name + "-" + host + ".key");
  }

  public TestPki issue(String host) throws Exception {
    return issue(host, "EC", Duration.ofDays(1));
  }

  TestPki issue(String host, String algorithm, Duration validity) throws Exception {
    KeyPair pair = keyPair(algorithm);
    X509v3CertificateBuilder builder = builder(pair, host, validity);
    builder.addExtension(
        Extension.subjectAlternativeName,
        false,
        new GeneralNames(new GeneralName(GeneralName.dNSName, host)));
    write(certificate(host), sign(builder));
    write(key(host), new JcaPKCS8Generator(pair.getPrivate(), null));
    return this;
  }

  public PeerTls tls(String host) throws Exception {
    return PeerTls.load(host, ca(), certificate(host), key(host));
  }

  private X509v3CertificateBuilder builder(KeyPair subject, String subjectName, Duration validity) {
    Instant now = Instant.now();
    return new JcaX509v3CertificateBuilder(
        new X500Name("CN=" + name),
        BigInteger.valueOf(System.nanoTime()),
        Date.from(now.minus(Duration.ofDays(2))),
        Date.from(now.plus(validity)),
        new X500Name("CN=" + subjectName),
        subject.getPublic());
  }

  private X509CertificateHolder sign(X509v3CertificateBuilder builder)
      throws OperatorCreationException {
    return builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate()));
  }

  private static KeyPair keyPair(String algorithm) throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
    if (algorithm.equals("EC")) {
      generator.initialize(new ECGenParameterSpec("secp256r1"));
    } else {
      generator.initialize(2048);
    }
    return generator.generateKeyPair();
  }

  private static void write(Path file, Object pem) throws IOException {
    StringWriter text = new StringWriter();
    try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
      writer.writeObject(pem);
    }
    Files.writeString(file, text.toString());
  }
}
