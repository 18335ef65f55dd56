package io.remus.core;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleName;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Clock;

/** Values, codecs and state machines: a test can do to them whatever the world could. */
@AnalyzeClasses(packages = "io.remus.core", importOptions = ImportOption.DoNotIncludeTests.class)
class ImportsTest {
  @ArchTest
  static final ArchRule shouldHaveNoThreads =
      noClasses()
          .should()
          .dependOnClassesThat(
              resideInAnyPackage("java.util.concurrent..", "io.netty.util.concurrent..")
                  .or(type(Thread.class))
                  .or(type(ThreadLocal.class)));

  @ArchTest
  static final ArchRule shouldHaveNoSockets =
      noClasses().should().dependOnClassesThat(resideInAnyPackage("java.net..", "javax.net.."));

  @ArchTest
  static final ArchRule shouldHaveNoFiles =
      noClasses()
          .should()
          .dependOnClassesThat(
              resideInAnyPackage("java.nio.file..", "java.nio.channels..")
                  .or(resideInAPackage("java.io").and(simpleName("File")))
                  .or(resideInAPackage("java.io").and(simpleName("RandomAccessFile")))
                  .or(resideInAPackage("java.io").and(simpleName("FileInputStream")))
                  .or(resideInAPackage("java.io").and(simpleName("FileOutputStream"))));

  @ArchTest
  static final ArchRule shouldStandOnNothingButValuesCodecsAndJson =
      noClasses()
          .should()
          .dependOnClassesThat(
              not(
                  resideInAnyPackage(
                      "io.remus.core..", "java..", "com.fasterxml.jackson..", "io.netty..")));

  @ArchTest
  static final ArchRule shouldKnowNettyOnlyOnTheWire =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.remus.core.wire")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.netty..");

  @ArchTest
  static final ArchRule shouldTakeOnlyBuffersAndCodecsFromNetty =
      noClasses()
          .should()
          .dependOnClassesThat(
              resideInAPackage("io.netty..")
                  .and(
                      not(
                          resideInAnyPackage(
                              "io.netty.buffer",
                              "io.netty.channel",
                              "io.netty.handler.codec",
                              "io.netty.util"))));

  @ArchTest
  static final ArchRule shouldBeToldTheTimeAndNeverAsk =
      noClasses()
          .should()
          .callMethod(System.class, "nanoTime")
          .orShould()
          .callMethod(System.class, "currentTimeMillis")
          .orShould()
          .callMethod(java.time.Instant.class, "now")
          .orShould()
          .dependOnClassesThat(type(Clock.class));

  @ArchTest
  static final ArchRule shouldNotLetTheControlApiKnowTheWire =
      noClasses()
          .that()
          .resideInAPackage("io.remus.core.control")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.remus.core.wire");

  @ArchTest
  static final ArchRule shouldKeepTheMachinesApart =
      slices().matching("io.remus.core.(primary|standby)..").should().notDependOnEachOther();
}
