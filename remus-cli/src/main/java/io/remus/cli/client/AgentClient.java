package io.remus.cli.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.remus.cli.ExitCode;
import io.remus.cli.Failure;
import io.remus.core.control.AgentInfo;
import io.remus.core.control.ControlJson;
import io.remus.core.control.Copies;
import io.remus.core.control.DoctorReport;
import io.remus.core.control.Drain;
import io.remus.core.control.DrillRequest;
import io.remus.core.control.DrillStatus;
import io.remus.core.control.ErrorReply;
import io.remus.core.control.EventRecord;
import io.remus.core.control.HostInfo;
import io.remus.core.control.ProtectRequest;
import io.remus.core.control.RecoverRequest;
import io.remus.core.control.Switchover;
import io.remus.core.control.VerificationProgress;
import io.remus.core.control.VerificationReport;
import io.remus.core.control.VmStatus;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** The control API as Java calls; everything that goes wrong is a {@link Failure}. */
public final class AgentClient {
  private final Path socket;

  public AgentClient(Path socket) {
    this.socket = socket;
  }

  public List<VmStatus> vms() {
    return List.of(call(HttpMethod.GET, "/v1/vms", "", VmStatus[].class));
  }

  public VmStatus vm(String name) {
    return call(HttpMethod.GET, vmPath(name), "", VmStatus.class);
  }

  public VmStatus protect(String name, ProtectRequest request) {
    String body = ControlJson.line(request);
    return call(HttpMethod.PUT, vmPath(name) + "/protection", body, VmStatus.class);
  }

  public void unprotect(String name, boolean force) {
    String path = vmPath(name) + "/protection" + (force ? "?force=true" : "");
    exchange(HttpMethod.DELETE, path, "");
  }

  public VmStatus failover(String name) {
    return call(HttpMethod.POST, vmPath(name) + "/failover", "", VmStatus.class);
  }

  public Switchover switchover(String name) {
    return call(HttpMethod.POST, vmPath(name) + "/switchover", "", Switchover.class);
  }

  public Copies copies(String name) {
    return call(HttpMethod.GET, vmPath(name) + "/copies", "", Copies.class);
  }

  public Copies recover(String name, RecoverRequest request) {
    String body = ControlJson.line(request);
    return call(HttpMethod.POST, vmPath(name) + "/recovery", body, Copies.class);
  }

  public List<HostInfo> hosts() {
    return List.of(call(HttpMethod.GET, "/v1/hosts", "", HostInfo[].class));
  }

  public Drain drain() {
    return call(HttpMethod.POST, "/v1/drain", "", Drain.class);
  }

  public void endDrain() {
    exchange(HttpMethod.DELETE, "/v1/drain", "");
  }

  public DrillStatus startDrill(String name, DrillRequest request) {
    String body = ControlJson.line(request);
    return call(HttpMethod.PUT, vmPath(name) + "/drill", body, DrillStatus.class);
  }

  public DrillStatus drill(String name) {
    return call(HttpMethod.GET, vmPath(name) + "/drill", "", DrillStatus.class);
  }

  public void stopDrill(String name) {
    exchange(HttpMethod.DELETE, vmPath(name) + "/drill", "");
  }

  public VerificationReport verify(String name) {
    return call(HttpMethod.POST, vmPath(name) + "/verification", "", VerificationReport.class);
  }

  public VerificationProgress verification(String name) {
    return call(HttpMethod.GET, vmPath(name) + "/verification", "", VerificationProgress.class);
  }

  public DoctorReport doctor() {
    return call(HttpMethod.GET, "/v1/doctor", "", DoctorReport.class);
  }

  public AgentInfo info() {
    return call(HttpMethod.GET, "/v1/info", "", AgentInfo.class);
  }

  /**
   * Hands over the events after a sequence number, oldest first.
   *
   * @param follow goes on with those to come until the agent ends the connection
   */
  public void events(long since, boolean follow, Consumer<EventRecord> consumer) {
    String path = "/v1/events?since=" + since + "&follow=" + follow;
    try (HttpExchange exchange = HttpExchange.open(socket)) {
      exchange.send(HttpMethod.GET, path, "");
      check(exchange);
      exchange.lines(line -> consumer.accept(parse(line, EventRecord.class)));
    }
  }

  private <T> T call(HttpMethod method, String path, String body, Class<T> type) {
    return parse(exchange(method, path, body), type);
  }

  private String exchange(HttpMethod method, String path, String body) {
    try (HttpExchange exchange = HttpExchange.open(socket)) {
      exchange.send(method, path, body);
      check(exchange);
      return exchange.body();
    }
  }

  private static void check(HttpExchange exchange) {
    HttpResponseStatus status = exchange.status();
    int code = status.code();
    if (code >= 200 && code < 300) {
      return;
    }
    ErrorReply reply = errorReply(status, exchange.body());
    boolean refused = code == 404 || code == 409 || code == 400;
    throw new Failure(
        refused ? ExitCode.REFUSED : ExitCode.FAILED, reply.message(), reply.advice());
  }

  private static ErrorReply errorReply(HttpResponseStatus status, String body) {
    try {
      ErrorReply reply = ControlJson.replies().readValue(body, ErrorReply.class);
      if (reply.message() != null) {
        return new ErrorReply(
            reply.code(), reply.message(), reply.advice() == null ? "" : reply.advice());
      }
    } catch (JsonProcessingException e) {
      // Not the agent's own answer; the status line says what there is to say.
    }
    return new ErrorReply("", "the agent answered: " + status, "");
  }

  private static <T> T parse(String json, Class<T> type) {
    try {
      return ControlJson.replies().readValue(json, type);
    } catch (JsonProcessingException e) {
      throw new Failure(
          ExitCode.FAILED,
          "the agent's answer makes no sense: " + e.getOriginalMessage(),
          "Compare `remus --version` with the agent's version; both come from one installation.");
    }
  }

  private static String vmPath(String name) {
    String encoded = URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    return "/v1/vms/" + encoded;
  }
}
