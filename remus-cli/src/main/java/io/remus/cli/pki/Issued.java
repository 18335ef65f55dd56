package io.remus.cli.pki;

import io.netty.util.NetUtil;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x500.style.IETFUtils;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.X509CertificateHolder;

/**
 * A certificate that was made.
 *
 * @param file where it is
 * @param name its common name
 * @param names DNS names and IP addresses it is good for
 * @param expires the end of its validity
 */
public record Issued(Path file, String name, List<String> names, Instant expires) {
  static Issued of(Path file, X509CertificateHolder certificate) {
    String name =
        IETFUtils.valueToString(
            certificate.getSubject().getRDNs(BCStyle.CN)[0].getFirst().getValue());
    List<String> names = new ArrayList<>();
    GeneralNames alternatives =
        GeneralNames.fromExtensions(certificate.getExtensions(), Extension.subjectAlternativeName);
    if (alternatives != null) {
      for (GeneralName alternative : alternatives.getNames()) {
        names.add(
            alternative.getTagNo() == GeneralName.iPAddress
                ? NetUtil.bytesToIpAddress(
                    ASN1OctetString.getInstance(alternative.getName()).getOctets())
                : alternative.getName().toString());
      }
    }
    return new Issued(file, name, List.copyOf(names), certificate.getNotAfter().toInstant());
  }
}
