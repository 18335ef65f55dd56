package io.remus.cli;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "io.remus.cli", importOptions = ImportOption.DoNotIncludeTests.class)
class ImportsTest {
  @ArchTest
  static final ArchRule shouldKnowOnlyTheControlApi =
      noClasses()
          .should()
          .dependOnClassesThat(
              resideInAPackage("io.remus..")
                  .and(not(resideInAPackage("io.remus.cli..")))
                  .and(not(resideInAPackage("io.remus.core.control"))));
}
