namespace Lorikeet.Training;

/// <summary>A property that takes every key of its section that no other property has; who uses them checks them.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class RestAttribute : Attribute;
