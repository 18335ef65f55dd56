package io.remus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.remus.core.control.AgentInfo;
import io.remus.core.control.Copies;
import io.remus.core.control.DoctorReport;
import io.remus.core.control.DrillRequest;
import io.remus.core.control.DrillStatus;
import io.remus.core.control.ErrorReply;
import io.remus.core.control.EventRecord;
import io.remus.core.control.Figures;
import io.remus.core.control.ProtectRequest;
import io.remus.core.control.RecoverRequest;
import io.remus.core.control.VerificationProgress;
import io.remus.core.control.VerificationReport;
import io.remus.core.control.VmState;
import io.remus.core.control.VmStatus;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the documents promise, against what the code has. */
class ManualTest {
  @ParameterizedTest
  @ValueSource(
      classes = {
        AgentInfo.class,
        Copies.class,
        Copies.Copy.class,
        RecoverRequest.class,
        DoctorReport.class,
        DoctorReport.Check.class,
        DrillRequest.class,
        DrillStatus.class,
        ErrorReply.class,
        EventRecord.class,
        Figures.class,
        Figures.Counts.class,
        Figures.Times.class,
        ProtectRequest.class,
        VerificationProgress.class,
        VerificationReport.class,
        VerificationReport.Difference.class,
        VerificationReport.Memory.class,
        VmStatus.class,
        VmStatus.Epochs.class,
        VmStatus.Sync.class
      })
  void shouldDescribeEveryFieldOfTheApi(Class<?> type) throws Exception {
    JsonNode schema =
        new YAMLMapper()
            .readTree(Files.readString(Path.of("../docs/openapi.yaml")))
            .at("/components/schemas/" + type.getSimpleName() + "/properties");
    List<String> described = new ArrayList<>();
    schema.fieldNames().forEachRemaining(described::add);

    List<String> fields =
        Arrays.stream(type.getRecordComponents())
            .map(RecordComponent::getName)
            .map(new SnakeCaseStrategy()::translate)
            .toList();

    assertThat(described).containsExactlyElementsOf(fields);
  }

  @ParameterizedTest
  @EnumSource
  void shouldExplainEveryStateInTheManual(VmState state) throws Exception {
    assertThat(manual()).containsPattern(state.word() + " \\| \\w+ \\| .*");
    assertThat(manual()).contains(state.sentence());
  }

  @Test
  void shouldExplainEveryExitCodeInTheManual() throws Exception {
    for (ExitCode exit : ExitCode.values()) {
      assertThat(manual()).contains("| " + exit.code() + " | " + exit.meaning());
    }
  }

  private static String manual() throws Exception {
    return Files.readString(Path.of("../docs/operations.md"));
  }
}
