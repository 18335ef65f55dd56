package io.remus.agent.peer;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.remus.agent.peer.PeerException.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * TLS 1.3 with certificates on both sides, all of one CA. BoringSSL does the work where it can be
 * loaded: it is several times as fast as the JDK and makes no garbage.
 */
public final class PeerTls {

  private static final Logger log = LoggerFactory.getLogger(PeerTls.class);

  private final String hostName;
  private final SslContext server;
  private final SslContext client;

  private PeerTls(String hostName, SslContext server, SslContext client) {
    this.hostName = hostName;
    this.server = server;
    this.client = client;
  }

  /**
   * Reads this host's keys and makes sure that they fit together, so that a mistake shows at the
   * start and not at the first connection.
   *
   * @param hostName this host's name, which the certificate must carry as a dNSName
   * @param ca certificates of the CA that issued every host's certificate, PEM
   * @param certificate this host's certificate, and intermediate ones behind it, PEM
   * @param key its private key, PKCS#8 PEM
   * @throws PeerException {@link Reason#TLS_FILES}; the message names the file
   */
  public static PeerTls load(String hostName, Path ca, Path certificate, Path key)
      throws PeerException {
    List<X509Certificate> roots = PemFiles.certificates(ca);
    List<X509Certificate> chain = PemFiles.certificates(certificate);
    PrivateKey privateKey = PemFiles.privateKey(key);
    if (!belongTogether(chain.get(0).getPublicKey(), privateKey)) {
      throw wrong("%s is not the key of %s".formatted(key, certificate));
    }
    HostNames names = new HostNames(chain.get(0));
    if (!names.contain(hostName)) {
      throw wrong(
          "%s is a certificate for %s; this host is %s".formatted(certificate, names, hostName));
    }
    try {
      X509TrustManager trust = trust(roots);
      X509Certificate[] array = chain.toArray(X509Certificate[]::new);
      checkOwn(trust, array, certificate, ca);
      SslProvider provider = provider();
      return new PeerTls(
          hostName,
          SslContextBuilder.forServer(privateKey, array)
              .sslProvider(provider)
              .protocols("TLSv1.3")
              .trustManager(trust)
              .clientAuth(ClientAuth.REQUIRE)
              .build(),
          SslContextBuilder.forClient()
              .sslProvider(provider)
              .protocols("TLSv1.3")
              .trustManager(trust)
              .keyManager(privateKey, array)
              // The greeting compares names, and can then say which name was there.
              .endpointIdentificationAlgorithm(null)
              .build());
    } catch (SSLException | GeneralSecurityException e) {
      throw new PeerException(Reason.TLS_FILES, "TLS cannot be set up: " + e.getMessage(), e);
    }
  }

  /** Name of this host. */
  public String hostName() {
    return hostName;
  }

  SslHandler serverHandler(ByteBufAllocator alloc) {
    return server.newHandler(alloc);
  }

  SslHandler clientHandler(ByteBufAllocator alloc) {
    return client.newHandler(alloc);
  }

  private static SslProvider provider() {
    if (OpenSsl.isAvailable()) {
      return SslProvider.OPENSSL;
    }
    log.warn(
        "netty-tcnative cannot be loaded, TLS is done by the JDK and is slower",
        OpenSsl.unavailabilityCause());
    return SslProvider.JDK;
  }

  private static X509TrustManager trust(List<X509Certificate> roots)
      throws GeneralSecurityException {
    try {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      for (int i = 0; i < roots.size(); i++) {
        store.setCertificateEntry("ca-" + i, roots.get(i));
      }
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(store);
      for (TrustManager manager : factory.getTrustManagers()) {
        if (manager instanceof X509TrustManager x509) {
          return x509;
        }
      }
      throw new GeneralSecurityException("the JVM has no X.509 trust manager");
    } catch (IOException e) {
      throw new GeneralSecurityException(e);
    }
  }

  private static void checkOwn(
      X509TrustManager trust, X509Certificate[] chain, Path certificate, Path ca)
      throws PeerException {
    try {
      chain[0].checkValidity();
      trust.checkServerTrusted(chain, "UNKNOWN");
      trust.checkClientTrusted(chain, "UNKNOWN");
    } catch (CertificateException e) {
      throw wrong("%s is not valid under the CA %s: %s".formatted(certificate, ca, e.getMessage()));
    }
  }

  private static boolean belongTogether(PublicKey publicKey, PrivateKey privateKey) {
    try {
      Signature signature =
          Signature.getInstance(
              privateKey.getAlgorithm().equals("EC") ? "SHA256withECDSA" : "SHA256withRSA");
      byte[] text = {1, 2, 3};
      signature.initSign(privateKey);
      signature.update(text);
      byte[] signed = signature.sign();
      signature.initVerify(publicKey);
      signature.update(text);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static PeerException wrong(String message) {
    return new PeerException(Reason.TLS_FILES, message);
  }
}
