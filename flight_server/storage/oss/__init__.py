"""Files in Alibaba Cloud OSS, sent up while their rows still arrive. The home of `oss2`.

settings      what the configuration says, as it is used
names         what an object is called, and its tags
plan          where the parts of a growing file begin and end
crc64         the checksum of OSS, and that of a whole from those of its parts
body          a stretch of a file, as the body of a request
faults        what went wrong, whether trying again can help, and the sentence that says so
credentials   who we are
client        one request each
crew          the threads that send parts
record        what must survive a crash: the multipart upload of a task
transfer      the parts of one file on their way
delivery      a sealed file under its name, or nothing
probe         the sentences of the start
storage       the contract that all of it fulfils
"""
