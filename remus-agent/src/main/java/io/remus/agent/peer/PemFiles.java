package io.remus.agent.peer;

import io.remus.agent.peer.PeerException.Reason;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads certificates and private keys from PEM files. */
final class PemFiles {

  private static final Pattern PKCS8 =
      Pattern.compile("-----BEGIN PRIVATE KEY-----(.*?)-----END PRIVATE KEY-----", Pattern.DOTALL);

  private PemFiles() {}

  /** Every certificate of the file in its order, at least one. */
  static List<X509Certificate> certificates(Path file) throws PeerException {
    try {
      List<X509Certificate> certificates =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(read(file)))
              .stream()
              .map(X509Certificate.class::cast)
              .toList();
      if (certificates.isEmpty()) {
        throw new PeerException(
            Reason.TLS_FILES, file + " holds no certificate; make one with `remus pki issue`");
      }
      return certificates;
    } catch (CertificateException e) {
      throw new PeerException(
          Reason.TLS_FILES, file + " is no certificate in PEM: " + e.getMessage(), e);
    }
  }

  /** The private key, EC or RSA, in PKCS#8 without a password. */
  static PrivateKey privateKey(Path file) throws PeerException {
    Matcher pem = PKCS8.matcher(new String(read(file), StandardCharsets.ISO_8859_1));
    if (!pem.find()) {
      throw new PeerException(
          Reason.TLS_FILES,
          file
              + " holds no private key (PKCS#8 in PEM, no password); make one with `remus pki issue`");
    }
    try {
      PKCS8EncodedKeySpec spec =
          new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(pem.group(1)));
      try {
        return KeyFactory.getInstance("EC").generatePrivate(spec);
      } catch (InvalidKeySpecException notEc) {
        return KeyFactory.getInstance("RSA").generatePrivate(spec);
      }
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new PeerException(
          Reason.TLS_FILES, file + " is neither an EC nor an RSA private key", e);
    }
  }

  private static byte[] read(Path file) throws PeerException {
    try {
      return Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new PeerException(
          Reason.TLS_FILES, file + " is missing; make it with `remus pki issue`", e);
    } catch (AccessDeniedException e) {
      throw new PeerException(Reason.TLS_FILES, file + " cannot be read: permission denied", e);
    } catch (IOException e) {
      throw new PeerException(Reason.TLS_FILES, file + " cannot be read: " + e.getMessage(), e);
    }
  }
}
