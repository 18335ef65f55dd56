package io.remus.agent.etcd;

import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/** Makes a TLS context of PEM files. */
final class EtcdTls {
  private EtcdTls() {}

  /**
   * Reads the files that are given; a CA that is not is one of those that Java trusts.
   *
   * @throws IOException naming the files when one cannot be used
   */
  static SSLContext load(Optional<Path> ca, Optional<Path> certificate, Optional<Path> key)
      throws IOException {
    SslContextBuilder builder = SslContextBuilder.forClient().sslProvider(SslProvider.JDK);
    if (ca.isPresent()) {
      Path file = readable(ca.get());
      try {
        builder.trustManager(file.toFile());
      } catch (IllegalArgumentException e) {
        throw new IOException(
            "arbiter.ca: %s holds no certificate in PEM: %s".formatted(file, e.getMessage()), e);
      }
    }
    if (certificate.isPresent() && key.isPresent()) {
      try {
        builder.keyManager(readable(certificate.get()).toFile(), readable(key.get()).toFile());
      } catch (IllegalArgumentException e) {
        throw new IOException(
            "arbiter.certificate, arbiter.key: %s and %s are no certificate in PEM and its key in PKCS#8: %s"
                .formatted(certificate.get(), key.get(), e.getMessage()),
            e);
      }
    }
    return ((JdkSslContext) builder.build()).context();
  }

  private static Path readable(Path file) throws IOException {
    if (!Files.isReadable(file)) {
      throw new IOException(
          file + " is missing or cannot be read; see [arbiter] in the configuration");
    }
    return file;
  }
}
