"""Files in S3, Google Cloud Storage and Azure, sent up while their rows still arrive.

The home of `obstore`, the Python face of Apache's object_store.

settings     what the configuration says, as it is used
clouds       how each of the three is opened, and what its errors mean
faults       what went wrong, whether trying again can help, and the sentence that says so
bucket       one request each
unfinished   multipart uploads of S3 that nobody ended: obstore does not know them
etags        what the ETag of an object must be, if it tells of its bytes
links        signed links, for every name
sending      one attempt: the parts of one spool through one writer of obstore
delivery     a sealed file under its name, verified; or nothing
marks        what must survive a crash: what could not be taken back
cleaning     what outlived its retention, or its task
probe        the sentences of the start
storage      the contract that all of it fulfils
"""
