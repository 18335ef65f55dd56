package io.remus.cli.pki;

import io.remus.cli.ExitCode;
import io.remus.cli.Failure;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.PrivateKey;
import java.util.EnumSet;
import java.util.Set;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemWriter;

/** Certificates and PKCS#8 keys in PEM files, written whole or not at all. */
final class PemFiles {
  private static final Set<PosixFilePermission> PRIVATE =
      PosixFilePermissions.fromString("rw-------");
  private static final Set<PosixFilePermission> PUBLIC =
      PosixFilePermissions.fromString("rw-r--r--");

  private PemFiles() {}

  static void writeCertificate(Path file, X509CertificateHolder certificate) throws IOException {
    write(file, "CERTIFICATE", certificate.getEncoded(), PUBLIC);
  }

  static void writeKey(Path file, PrivateKey key) throws IOException {
    write(file, "PRIVATE KEY", key.getEncoded(), PRIVATE);
  }

  static X509CertificateHolder readCertificate(Path file) throws IOException {
    Object found = read(file);
    if (found instanceof X509CertificateHolder certificate) {
      return certificate;
    }
    throw new Failure(ExitCode.FAILED, file + " holds no certificate in PEM", "");
  }

  static PrivateKey readKey(Path file) throws IOException {
    Object found = read(file);
    if (found instanceof PrivateKeyInfo key) {
      return new JcaPEMKeyConverter().getPrivateKey(key);
    }
    throw new Failure(ExitCode.FAILED, file + " holds no PKCS#8 key in PEM", "");
  }

  private static Object read(Path file) throws IOException {
    try (PEMParser parser = new PEMParser(Files.newBufferedReader(file))) {
      return parser.readObject();
    }
  }

  /** Mode first, then bytes: a key is never readable by others, not even for a moment. */
  private static void write(Path file, String type, byte[] bytes, Set<PosixFilePermission> mode)
      throws IOException {
    StringWriter pem = new StringWriter();
    try (PemWriter writer = new PemWriter(pem)) {
      writer.writeObject(new PemObject(type, bytes));
    }
    Path unfinished = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(unfinished);
    FileAttribute<Set<PosixFilePermission>> attribute =
        PosixFilePermissions.asFileAttribute(PRIVATE);
    Set<StandardOpenOption> options =
        EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    try (FileChannel channel = FileChannel.open(unfinished, options, attribute)) {
      ByteBuffer buffer = ByteBuffer.wrap(pem.toString().getBytes(StandardCharsets.US_ASCII));
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
      channel.force(true);
    }
    Files.setPosixFilePermissions(unfinished, mode);
    Files.move(
        unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    try (FileChannel directory =
        FileChannel.open(file.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
      directory.force(true);
    }
  }
}
