package io.remus.agent.control;

import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.remus.core.control.DrillRequest;
import io.remus.core.control.ProtectRequest;
import io.remus.core.control.RecoverRequest;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Every request of the API but the stream of events, and what becomes of its failures. */
final class Routes {
  /** The one route that is no single answer; {@link EventStream} serves it. */
  static final Route EVENTS =
      new Route(
          HttpMethod.GET,
          "/v1/events",
          List.of("since", "follow"),
          call -> {
            throw new IllegalStateException("events are streamed");
          });

  private static final Logger LOG = LoggerFactory.getLogger(Routes.class);

  private final Operations operations;
  private final List<Route> routes;

  Routes(Operations operations) {
    this.operations = operations;
    this.routes =
        List.of(
            get("/v1/vms", call -> done(Reply.ok(operations.vms()))),
            get("/v1/vms/{name}", this::vm),
            new Route(HttpMethod.PUT, "/v1/vms/{name}/protection", List.of(), this::protect),
            new Route(
                HttpMethod.DELETE, "/v1/vms/{name}/protection", List.of("force"), this::unprotect),
            new Route(HttpMethod.POST, "/v1/vms/{name}/failover", List.of(), this::failover),
            new Route(HttpMethod.POST, "/v1/vms/{name}/switchover", List.of(), this::switchover),
            get("/v1/hosts", call -> done(Reply.ok(operations.hosts()))),
            new Route(
                HttpMethod.POST,
                "/v1/drain",
                List.of(),
                call -> done(Reply.ok(operations.drain()))),
            new Route(HttpMethod.DELETE, "/v1/drain", List.of(), call -> endDrain()),
            get("/v1/vms/{name}/copies", call -> done(Reply.ok(operations.copies(call.name())))),
            new Route(HttpMethod.POST, "/v1/vms/{name}/recovery", List.of(), this::recover),
            new Route(HttpMethod.PUT, "/v1/vms/{name}/drill", List.of(), this::startDrill),
            get("/v1/vms/{name}/drill", this::drill),
            new Route(HttpMethod.DELETE, "/v1/vms/{name}/drill", List.of(), this::stopDrill),
            new Route(
                HttpMethod.POST,
                "/v1/vms/{name}/verification",
                List.of(),
                call -> operations.verify(call.name()).thenApply(Reply::ok)),
            get("/v1/vms/{name}/verification", this::verification),
            EVENTS,
            get("/v1/doctor", call -> done(Reply.ok(operations.doctor()))),
            get("/v1/info", call -> done(Reply.ok(operations.info()))));
  }

  List<Route> all() {
    return routes;
  }

  /** Does what a request asks; never completes exceptionally. */
  CompletionStage<Reply> run(Route route, Route.Call call) {
    try {
      return route.action().run(call).exceptionally(failure -> failed(route, call, failure));
    } catch (BadRequestException e) {
      return done(badRequest(e));
    } catch (RuntimeException | Error e) {
      return done(failed(route, call, e));
    }
  }

  static Reply badRequest(BadRequestException e) {
    return Reply.error(
        HttpResponseStatus.BAD_REQUEST, "bad-request", e.getMessage(), "See docs/openapi.yaml.");
  }

  private CompletionStage<Reply> vm(Route.Call call) {
    return done(
        Reply.ok(
            operations.vm(call.name()).orElseThrow(() -> RefusedException.unknownVm(call.name()))));
  }

  private CompletionStage<Reply> protect(Route.Call call) throws BadRequestException {
    ProtectRequest request = RequestBody.read(call.body(), ProtectRequest.class);
    return operations.protect(call.name(), request).thenApply(Reply::ok);
  }

  private CompletionStage<Reply> unprotect(Route.Call call) throws BadRequestException {
    return operations
        .unprotect(call.name(), call.flag("force"))
        .thenApply(nothing -> new Reply(HttpResponseStatus.NO_CONTENT, null));
  }

  private CompletionStage<Reply> endDrain() {
    operations.endDrain();
    return done(new Reply(HttpResponseStatus.NO_CONTENT, null));
  }

  private CompletionStage<Reply> failover(Route.Call call) {
    return operations.failover(call.name()).thenApply(Reply::ok);
  }

  private CompletionStage<Reply> switchover(Route.Call call) {
    return operations.switchover(call.name()).thenApply(Reply::ok);
  }

  private CompletionStage<Reply> verification(Route.Call call) {
    return done(
        Reply.ok(
            operations
                .verification(call.name())
                .orElseThrow(
                    () ->
                        RefusedException.missing(
                            "not-verifying",
                            "VM " + call.name() + " is not being verified on this host",
                            "Begin with: remus verify " + call.name()))));
  }

  private CompletionStage<Reply> recover(Route.Call call) throws BadRequestException {
    RecoverRequest request = RequestBody.read(call.body(), RecoverRequest.class);
    return operations.recover(call.name(), request).thenApply(Reply::ok);
  }

  private CompletionStage<Reply> startDrill(Route.Call call) throws BadRequestException {
    DrillRequest request = RequestBody.read(call.body(), DrillRequest.class);
    return done(Reply.ok(operations.drill(call.name(), request)));
  }

  private CompletionStage<Reply> drill(Route.Call call) {
    return done(
        Reply.ok(
            operations
                .drill(call.name())
                .orElseThrow(() -> RefusedException.noDrill(call.name()))));
  }

  private CompletionStage<Reply> stopDrill(Route.Call call) {
    return operations
        .stopDrill(call.name())
        .thenApply(nothing -> new Reply(HttpResponseStatus.NO_CONTENT, null));
  }

  private static Reply failed(Route route, Route.Call call, Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof RefusedException refused) {
      HttpResponseStatus status =
          refused.isMissing() ? HttpResponseStatus.NOT_FOUND : HttpResponseStatus.CONFLICT;
      return new Reply(status, refused.reply());
    }
    LOG.error("{} {} failed for \"{}\"", route.method(), route.template(), call.name(), cause);
    return Reply.error(
        HttpResponseStatus.INTERNAL_SERVER_ERROR,
        "internal-error",
        "the agent failed: " + cause,
        "The agent's log has the details: journalctl -u remus-agent");
  }

  private static Route get(String template, Route.Action action) {
    return new Route(HttpMethod.GET, template, List.of(), action);
  }

  private static CompletionStage<Reply> done(Reply reply) {
    return CompletableFuture.completedStage(reply);
  }
}
