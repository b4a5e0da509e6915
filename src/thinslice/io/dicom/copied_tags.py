"""Tags that a derived series copies from its source: patient, time, scanner, exposure.

A list of tags by the modules of the standard (PS3.3), and nothing besides: no private tags, none
that speak of one slice (content times, positions, dose of a slice), none that speak of the stored
numbers. A tag on the list is kept where every slice of the source says the same. Patient and study
are kept as they are, empty or de-identified or not: nothing is added to them and nothing more
taken out.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path

import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from thinslice.io.dicom.headers import UNREADABLE

PATIENT = """
    PatientName PatientID IssuerOfPatientID TypeOfPatientID PatientBirthDate PatientBirthTime
    PatientSex OtherPatientIDsSequence OtherPatientNames EthnicGroup PatientComments
    PatientSpeciesDescription PatientSpeciesCodeSequence PatientBreedDescription
    PatientBreedCodeSequence BreedRegistrationSequence ResponsiblePerson ResponsiblePersonRole
    ResponsibleOrganization QualityControlSubject PatientIdentityRemoved DeidentificationMethod
    DeidentificationMethodCodeSequence PatientAge PatientSize PatientWeight PatientSexNeutered
"""
STUDY = """
    StudyInstanceUID StudyDate StudyTime ReferringPhysicianName StudyID AccessionNumber
    IssuerOfAccessionNumberSequence StudyDescription ProcedureCodeSequence
    LongitudinalTemporalInformationModified
"""
SERIES = """
    Laterality ProtocolName BodyPartExamined PatientPosition AnatomicalOrientationType
    PatientOrientationCodeSequence FrameOfReferenceUID PositionReferenceIndicator
"""
EQUIPMENT = """
    Manufacturer InstitutionName InstitutionAddress InstitutionalDepartmentName StationName
    ManufacturerModelName DeviceSerialNumber SoftwareVersions
"""
IMAGE = """
    SpecificCharacterSet TimezoneOffsetFromUTC AcquisitionDate AcquisitionTime AcquisitionDateTime
    AcquisitionNumber BurnedInAnnotation RecognizableVisualFeatures LossyImageCompression
    LossyImageCompressionRatio LossyImageCompressionMethod WindowCenter WindowWidth
    WindowCenterWidthExplanation VOILUTFunction ContrastBolusAgent ContrastBolusRoute
    ContrastBolusVolume
"""
CT = """
    KVP ScanOptions DataCollectionDiameter ReconstructionDiameter DistanceSourceToDetector
    DistanceSourceToPatient TableHeight RotationDirection ExposureTime XRayTubeCurrent Exposure
    FilterType GeneratorPower FocalSpots ConvolutionKernel RevolutionTime SingleCollimationWidth
    TotalCollimationWidth TableSpeed TableFeedPerRotation SpiralPitchFactor ExposureModulationType
    CTDIvol CTDIPhantomTypeCodeSequence
"""
MR = """
    ScanningSequence SequenceVariant ScanOptions MRAcquisitionType SequenceName AngioFlag
    RepetitionTime EchoTime InversionTime NumberOfAverages ImagingFrequency ImagedNucleus
    EchoNumbers MagneticFieldStrength NumberOfPhaseEncodingSteps EchoTrainLength PercentSampling
    PercentPhaseFieldOfView PixelBandwidth ReceiveCoilName TransmitCoilName
    InPlanePhaseEncodingDirection FlipAngle VariableFlipAngleFlag ReconstructionDiameter
"""
KEPT = {
    "CT": " ".join((PATIENT, STUDY, SERIES, EQUIPMENT, IMAGE, CT)).split(),
    "MR": " ".join((PATIENT, STUDY, SERIES, EQUIPMENT, IMAGE, MR)).split(),
}
READ = """
    SOPClassUID SOPInstanceUID SeriesInstanceUID SeriesNumber InstanceNumber ImageType Modality
    ImagePositionPatient ImageOrientationPatient RescaleSlope RescaleIntercept
    SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence
""".split()


def headers(files: Sequence[Path], modality: str) -> list[Dataset]:
    """Headers of the files; pixels and private tags are never read."""
    wanted = [*KEPT[modality], *READ]
    return [
        pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(wanted)) for file in files
    ]


def copied(sources: Sequence[Dataset], modality: str) -> Dataset:
    """The tags on the list that every source says, and says alike; none of no source."""
    out = Dataset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's remarks on harmless value formats
        for keyword in KEPT[modality] if sources else []:
            first, *others = (_said(data, keyword) for data in sources)
            if first is not None and all(o is not None and o.value == first.value for o in others):
                out[keyword] = first
        if any(str(data.get("LossyImageCompression", "")) == "01" for data in sources):
            out.LossyImageCompression = "01"  # one lossy slice makes the result lossy
        out.remove_private_tags()  # those inside sequences
    return out


def _said(data: Dataset, keyword: str) -> DataElement | None:
    """None also for what breaks the rules of its type: it cannot be written again."""
    try:
        return data[keyword]
    except UNREADABLE:
        return None
