package io.remus.agent;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaConstructor;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import io.remus.agent.disk.replica.Replica;
import io.remus.agent.nativeio.OutputQueue;
import io.remus.agent.nativeio.StandbyMemory;
import io.remus.agent.release.OutputPlug;
import io.remus.core.epoch.DurableAck;
import io.remus.core.wire.Frame;

/** What makes output commit and "all or nothing" hold by construction: who may touch what. */
@AnalyzeClasses(packages = "io.remus.agent", importOptions = ImportOption.DoNotIncludeTests.class)
class ImportsTest {
  @ArchTest
  static final ArchRule shouldReachNativeCodeOnlyThroughNativeio =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.remus.agent.nativeio")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.sun.jna..");

  @ArchTest
  static final ArchRule shouldReachLibvirtOnlyThroughGuest =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.remus.agent.guest")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.libvirt..");

  @ArchTest
  static final ArchRule shouldNotLetCaptureKnowOfANetwork =
      noClasses()
          .that()
          .resideInAPackage("io.remus.agent.capture")
          .should()
          .dependOnClassesThat(
              resideInAnyPackage(
                  "io.remus.agent.peer",
                  "io.remus.agent.stream",
                  "io.remus.core.wire",
                  "io.netty..",
                  "java.net"));

  @ArchTest
  static final ArchRule shouldKeepNbdAProtocolAndNothingElse =
      classes()
          .that()
          .resideInAPackage("io.remus.agent.disk.nbd")
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage(
                  "io.remus.agent.disk.nbd",
                  "io.remus.agent.socket",
                  "io.remus.core..",
                  "io.netty..",
                  "org.slf4j",
                  "java.."));

  @ArchTest
  static final ArchRule shouldNotMakeAnAckAnywhereButInCommit =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.remus.agent.commit")
          .should()
          .accessTargetWhere(uses(Frame.Ack.class, JavaConstructor.CONSTRUCTOR_NAME));

  @ArchTest
  static final ArchRule shouldNotTakeAFrameForAProofAnywhereButInTheConductor =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.remus.agent.conductor")
          .should()
          .accessTargetWhere(uses(DurableAck.class, "of"));

  @ArchTest
  static final ArchRule shouldNotReleaseAnEpochWithoutProof =
      methods()
          .that()
          .areDeclaredIn(OutputPlug.class)
          .and()
          .haveName("release")
          .should()
          .haveRawParameterTypes(DurableAck.class, long.class);

  @ArchTest
  static final ArchRule shouldNotReleaseAQueueAnywhereButInRelease =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.remus.agent.release")
          .should()
          .accessTargetWhere(uses(OutputQueue.class, "release"));

  @ArchTest
  static final ArchRule shouldNotLetAnythingReceivedReachTheStandbyButThroughCommit =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.remus.agent.commit")
          .should()
          .accessTargetWhere(uses(StandbyMemory.class, "apply"));

  @ArchTest
  static final ArchRule shouldNotLetAnythingReceivedReachAReplicaButThroughCommit =
      noClasses()
          .that()
          .resideOutsideOfPackages("io.remus.agent.commit", "io.remus.agent.disk..")
          .should()
          .accessTargetWhere(
              uses(Replica.class, "synchronise")
                  .or(uses(Replica.class, "stage"))
                  .or(uses(Replica.class, "commit"))
                  .or(uses(Replica.class, "settle")));

  @ArchTest
  static final ArchRule shouldNotKnowTheConductorExceptAtBoot =
      classes()
          .that()
          .resideInAPackage("io.remus.agent.conductor")
          .should()
          .onlyHaveDependentClassesThat(
              resideInAnyPackage("io.remus.agent.conductor", "io.remus.agent.boot"));

  @ArchTest
  static final ArchRule shouldNotBuildOnTheCommandLineTool =
      noClasses()
          .should()
          .dependOnClassesThat(
              resideInAPackage("io.remus..")
                  .and(not(resideInAnyPackage("io.remus.agent..", "io.remus.core.."))));

  @ArchTest
  static final ArchRule shouldHaveNoCyclesBetweenPackages =
      slices().matching("io.remus.agent.(*)..").should().beFreeOfCycles();

  /** A call or a reference. */
  private static DescribedPredicate<JavaAccess<?>> uses(Class<?> owner, String name) {
    return DescribedPredicate.describe(
        owner.getSimpleName() + "." + name,
        access ->
            access.getTargetOwner().isEquivalentTo(owner)
                && access.getTarget().getName().equals(name));
  }
}
