package io.remus.agent.peer;

import java.security.cert.Certificate;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The hosts a certificate speaks for: its subject alternative names of type dNSName, each taken to
 * the letter but for case. Wildcards and the common name mean nothing here.
 */
final class HostNames {

  private static final int DNS_NAME = 2;

  private final Set<String> names = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);

  HostNames(Certificate certificate) {
    try {
      Collection<List<?>> all = ((X509Certificate) certificate).getSubjectAlternativeNames();
      if (all != null) {
        all.stream()
            .filter(name -> name.get(0).equals(DNS_NAME))
            .forEach(name -> names.add((String) name.get(1)));
      }
    } catch (CertificateParsingException e) {
      // A certificate that cannot be read speaks for nobody.
      names.clear();
    }
  }

  boolean contain(String host) {
    return names.contains(host);
  }

  @Override
  public String toString() {
    return names.isEmpty() ? "no host" : String.join(", ", names);
  }
}
